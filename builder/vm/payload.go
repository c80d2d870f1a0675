package vm

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/treewright/treewright/builder/treefs"
)

// Tests are the tests that a feature brings: the executables in its directory
// test/, which pass by exit status 0.
type Tests struct {
	Feature string
	// Dir is the feature's directory test/ on this machine.
	Dir string
	// Names are those of the executables, sorted.
	Names []string
	// Env is what they find in their environment.
	Env map[string]string
}

// FindTests returns the tests of a feature in the directory dir. That there are
// none is not an error.
func FindTests(feature, dir string, env map[string]string) (Tests, error) {
	t := Tests{Feature: feature, Dir: filepath.Join(dir, "test"), Env: env}
	entries, err := treefs.New(dir).ReadDir("test")
	if errors.Is(err, fs.ErrNotExist) {
		return t, nil
	}
	if err != nil {
		return t, fmt.Errorf("find tests of %s: %w", feature, err)
	}
	for _, e := range entries {
		info, err := os.Stat(filepath.Join(t.Dir, e.Name()))
		if err != nil {
			return t, fmt.Errorf("find tests of %s: %w", feature, err)
		}
		if info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			t.Names = append(t.Names, e.Name())
		}
	}
	slices.Sort(t.Names)
	return t, nil
}

// WritePayload writes the tar file that the guest gets as a disk: the agent,
// and the features' directories test/ as FEATURE/test/.
func (s *Session) WritePayload(all []Tests) error {
	if err := os.MkdirAll(s.Job.Shared(), 0o755); err != nil {
		return fmt.Errorf("pack tests: %w", err)
	}
	out, err := os.Create(filepath.Join(s.Job.Shared(), payloadFile))
	if err != nil {
		return fmt.Errorf("pack tests: %w", err)
	}
	defer out.Close()
	tw := tar.NewWriter(out)
	if err := writeFile(tw, "agent", agentScript, 0o755); err != nil {
		return fmt.Errorf("pack tests: %w", err)
	}
	for _, t := range all {
		if len(t.Names) == 0 {
			continue
		}
		if err := writeDirectory(tw, t.Feature+"/test", treefs.New(t.Dir)); err != nil {
			return fmt.Errorf("pack tests of %s: %w", t.Feature, err)
		}
	}
	if err := tw.Close(); err != nil {
		return fmt.Errorf("pack tests: %w", err)
	}
	// A disk is a whole number of sectors; tar writes blocks of that size.
	return out.Close()
}

func writeDirectory(tw *tar.Writer, as string, dir fs.FS) error {
	return fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		file, err := dir.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		info, err := file.Stat()
		if err != nil {
			return err
		}
		content, err := io.ReadAll(file)
		if err != nil {
			return err
		}
		mode := int64(0o644)
		if info.Mode()&0o111 != 0 {
			mode = 0o755
		}
		return writeFile(tw, path.Join(as, name), content, mode)
	})
}

func writeFile(tw *tar.Writer, name string, content []byte, mode int64) error {
	if err := tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: int64(len(content))}); err != nil {
		return err
	}
	_, err := tw.Write(content)
	return err
}
