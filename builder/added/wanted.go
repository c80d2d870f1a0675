package added

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/treewright/treewright/builder/extend"
)

// wantedFile has the list of the packages that the owner of a machine asked for.
const wantedFile = stateDir + "/packages.json"

// wantedVersion is the version of the form of the list.
const wantedVersion = 1

type wantedList struct {
	Version  int      `json:"version"`
	Packages []string `json:"packages"`
}

// Wanted returns the names of the packages that were asked for, sorted. They are the same for all deployments.
func (m *Machine) Wanted() ([]string, error) {
	text, err := os.ReadFile(m.at(wantedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var list wantedList
	if err == nil {
		err = json.Unmarshal(text, &list)
	}
	if err != nil {
		return nil, fmt.Errorf("read the list of packages: %s: %w", m.at(wantedFile), err)
	}
	if list.Version != wantedVersion {
		return nil, fmt.Errorf("%s has version %d, and this program reads version %d", m.at(wantedFile), list.Version, wantedVersion)
	}
	for _, name := range list.Packages {
		if err := extend.CheckName(name); err != nil {
			return nil, fmt.Errorf("%s: %w", m.at(wantedFile), err)
		}
	}
	return extend.Request{Packages: list.Packages}.Sorted().Packages, nil
}

// setWanted writes the list. It is the last step of a change.
func (m *Machine) setWanted(names []string) error {
	if len(names) == 0 {
		names = []string{}
	}
	text, err := json.Marshal(wantedList{wantedVersion, names})
	if err != nil {
		return err
	}
	if old, err := m.Wanted(); err == nil && old != nil && slices.Equal(old, names) {
		return nil
	}
	if err := m.write(m.at(wantedFile), append(text, '\n')); err != nil {
		return fmt.Errorf("write the list of packages: %w", err)
	}
	return nil
}
