package added

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// settingsFiles are the files with settings. The first that exists is used.
var settingsFiles = []string{"etc/treewright/added.json", "usr/lib/treewright/added.json"}

// settings are the fields of a settings file.
type settings struct {
	// Server is the URL of the directory that has the directory [extend.Dir]; "" for the directory above the remote's repository.
	Server string `json:"server"`
}

func (m *Machine) settings() (settings, error) {
	for _, file := range settingsFiles {
		text, err := os.ReadFile(m.at(file))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		var s settings
		if err == nil {
			d := json.NewDecoder(bytes.NewReader(text))
			d.DisallowUnknownFields()
			err = d.Decode(&s)
		}
		if err != nil {
			return settings{}, fmt.Errorf("read %s: %w", m.at(file), err)
		}
		return s, nil
	}
	return settings{}, nil
}
