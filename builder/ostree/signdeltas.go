package ostree

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/format"
	"github.com/treewright/treewright/builder/layer"
)

// completeDeltas puts the signatures of the commits, which are there now, into the static
// deltas that lead to them: a machine that takes a delta reads them there and nowhere else. The
// lists of deltas and the summary get the checksums of these superblocks.
func (s *Staged) completeDeltas() error {
	if s.deltas == "" {
		return nil
	}
	files, err := Repository{dir: s.deltas}.deltaFiles()
	if err != nil || len(files) == 0 {
		return err
	}
	var sums [][2][]byte // of superblocks, before and after
	for _, name := range append(files, "summary") {
		made, err := os.ReadFile(filepath.Join(s.deltas, name))
		if err != nil {
			return err
		}
		content := made
		if path.Base(name) == superblock {
			if content, err = s.signedDelta(path.Dir(name), made); err != nil {
				return err
			}
			before, after := sha256.Sum256(made), sha256.Sum256(content)
			sums = append(sums, [2][]byte{before[:], after[:]})
		} else if name == "summary" || strings.HasPrefix(name, deltaDirs[1]) {
			for _, sum := range sums {
				content = bytes.ReplaceAll(content, sum[0], sum[1])
			}
		}
		if err := s.put(name, content); err != nil {
			return err
		}
	}
	slices.SortStableFunc(s.files, func(a, b string) int { return cmp.Compare(rankOf(a), rankOf(b)) })
	if s.whole == "" && len(s.files) == 0 {
		return os.RemoveAll(filepath.Join(s.to.dir, stagedFiles))
	}
	return nil
}

// signedDelta returns a superblock with what belongs to the commit that it leads to.
func (s *Staged) signedDelta(dir string, made []byte) ([]byte, error) {
	for _, sum := range s.refs {
		if !strings.HasSuffix(dir, "-"+shortSum(sum)) {
			continue
		}
		meta, err := os.ReadFile(s.current(object(sum, detached)))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return format.WithCommitMetadata(made, dir, meta)
	}
	return made, nil
}

// rankOf is in which order files appear: what others lead to comes first.
func rankOf(name string) int {
	switch {
	case name == SummarySignature:
		return 5
	case name == "summary":
		return 4
	case strings.HasPrefix(name, deltaDirs[1]):
		return 3
	case strings.HasPrefix(name, deltaDirs[0]) && path.Base(name) == superblock:
		return 2
	case strings.HasPrefix(name, deltaDirs[0]):
		return 1
	}
	return 0
}

// current is where a file is that is going to be published, or is published and stays.
func (s *Staged) current(name string) string {
	staged := filepath.Join(s.to.dir, stagedFiles, name)
	if slices.Contains(s.files, name) {
		return staged
	}
	return filepath.Join(s.to.dir, name)
}

// put stages a file with another content than it was made with, or takes it back if it is
// published with this content already.
func (s *Staged) put(name string, content []byte) error {
	to := filepath.Join(s.to.dir, name)
	if s.whole != "" {
		return layer.WriteFile(to, content, 0o644)
	}
	s.files = slices.DeleteFunc(s.files, func(f string) bool { return f == name })
	staged := filepath.Join(s.to.dir, stagedFiles, name)
	if have, err := os.ReadFile(to); err == nil && bytes.Equal(have, content) {
		if err := os.Remove(staged); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	s.files = append(s.files, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(staged), 0o755), os.MkdirAll(filepath.Dir(to), 0o755)); err != nil {
		return err
	}
	return layer.WriteFile(staged, content, 0o644)
}
