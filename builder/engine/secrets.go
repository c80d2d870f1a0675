package engine

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/secret"
)

// keepSecrets looks for the step's secrets in what it leaves: in files, their names
// and the targets of links.
func keepSecrets(req *Request) error {
	words := secret.Find(req.Secrets)
	if words == nil {
		return nil
	}
	return filepath.WalkDir(req.Data, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		inside := "/" + strings.TrimPrefix(strings.TrimPrefix(path, req.Data), "/")
		if name := words.In(d.Name()); name != "" {
			return fmt.Errorf("the secret %s is in the name of a file in %s, and everyone who gets the system could read it there", name, filepath.Dir(inside))
		}
		name := ""
		switch {
		case d.Type()&fs.ModeSymlink != 0:
			var target string
			if target, err = os.Readlink(path); err == nil {
				name = words.In(target)
			}
		case d.Type().IsRegular():
			name, err = inFile(words, path)
		}
		switch {
		case err != nil:
			return fmt.Errorf("look for secrets: %w", err)
		case name == "" || slices.Contains(req.Step.MayHold, inside):
			return nil
		}
		return fmt.Errorf("the secret %s is in %s, and everyone who gets the system could read it there; if that is meant, write secrets: [%s] to the feature's info.yaml", name, inside, inside)
	})
}

func inFile(words *secret.Words, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return words.InFile(f)
}
