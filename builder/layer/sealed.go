package layer

import (
	"bytes"
	"io/fs"
	"os"
)

// WriteSealed is [WriteFile] with a first line before data that holds its
// SHA-256, for [ReadSealed].
func WriteSealed(path string, data []byte, mode fs.FileMode) error {
	return WriteFile(path, append([]byte(hashBytes(data)+"\n"), data...), mode)
}

// ReadSealed reads what WriteSealed wrote. ok is false if that is not what is
// there.
func ReadSealed(path string) (data []byte, ok bool, err error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, false, err
	}
	sum, data, found := bytes.Cut(raw, []byte("\n"))
	return data, found && hashBytes(data) == string(sum), nil
}
