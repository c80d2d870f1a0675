package added

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"
)

// problemsDir has the reason for each deployment that lacks its image, in a file with the name of the commit.
const problemsDir = runDir + "/problems"

// note keeps the reason why a commit does not have its image; nil removes it.
func (m *Machine) note(commit string, reason error) error {
	if reason == nil {
		return remove(m.at(problemsDir, commit))
	}
	return m.write(m.at(problemsDir, commit), []byte(reason.Error()+"\n"))
}

// problem returns the reason that was kept, "" without one.
func (m *Machine) problem(commit string) string {
	text, err := os.ReadFile(m.at(problemsDir, commit))
	if err != nil {
		return "" // nothing was tried yet
	}
	return strings.TrimSpace(string(text))
}

// heldBackFile describes the last upgrade that was held back at a shutdown. Staged deployments do not survive a reboot, so this file is the only record.
const heldBackFile = stateDir + "/held-back.json"

// HeldBack is an upgrade that did not happen, because its image was missing.
type HeldBack struct {
	Commit  string    `json:"commit"`
	Version string    `json:"version,omitempty"`
	Reason  string    `json:"reason"`
	Time    time.Time `json:"time"`
}

func (m *Machine) setHeldBack(h HeldBack) error {
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	return m.write(m.at(heldBackFile), append(text, '\n'))
}

// heldBack returns the upgrade that was held back, nil without one.
func (m *Machine) heldBack() (*HeldBack, error) {
	text, err := os.ReadFile(m.at(heldBackFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	h := &HeldBack{}
	if err == nil {
		err = json.Unmarshal(text, h)
	}
	return h, err
}

// settled removes the record of the upgrade that was held back, if a commit is that upgrade or a later one that is ready.
func (m *Machine) settled() error { return remove(m.at(heldBackFile)) }
