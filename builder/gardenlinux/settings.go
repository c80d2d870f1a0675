package gardenlinux

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/treefs"
)

// treeSettings is what the scripts in a tree's root say of it.
type treeSettings struct {
	dir                         string
	hidden                      []string // directories of ours, perhaps in it
	look                        bool     // run nothing
	mirror, keyring             string
	commit, timestamp, tempSize string
}

// Defaults for trees without the scripts that say otherwise.
const (
	family          = "debian"
	defaultMirror   = "http://deb.debian.org/debian"
	defaultVersion  = "testing"
	defaultTempSize = "2G"
)

var (
	plainWord = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+~-]*$`)
	sizeWord  = regexp.MustCompile(`^[0-9]+[kKmMgG%]?$`)
)

// treeSays runs the tree's get_repo, get_commit and get_timestamp, and reads
// its build.config, which is a shell script.
func (r *Rules) treeSays(ctx context.Context) (*treeSettings, error) {
	s := &treeSettings{dir: r.Dir, hidden: r.Hidden, look: r.NoRun, mirror: r.Mirror, keyring: r.Keyring}
	var err error
	if s.mirror == "" {
		if s.mirror, err = s.ask(ctx, "get_repo", defaultMirror); err != nil {
			return nil, err
		}
		if s.keyring == "" {
			if own := filepath.Join(s.dir, "keyring.gpg"); exists(own) {
				s.keyring = own
			}
		}
	}
	if s.mirror = strings.TrimRight(s.mirror, "/"); !strings.Contains(s.mirror, "://") || strings.ContainsAny(s.mirror, " \t\n") {
		return nil, diag.Requestf("the package archive must be given as a URL, not as %q (from get_repo or --mirror)", s.mirror)
	}
	if s.keyring == "" {
		s.keyring = r.Distro.DefaultKeyring()
	}
	if s.keyring, err = filepath.Abs(s.keyring); err != nil {
		return nil, err
	}
	if !exists(s.keyring) {
		return nil, diag.Requestf("there is no keyring %s", s.keyring)
	}
	if err := treefs.Check(s.keyring, treefs.MostKeyring); err != nil {
		return nil, fmt.Errorf("read the keyring: %w", err)
	}
	if s.commit, err = s.ask(ctx, "get_commit", "local"); err != nil {
		return nil, err
	}
	if !plainWord.MatchString(s.commit) {
		return nil, fmt.Errorf("get_commit of the tree printed %q, which cannot be part of a file's name", s.commit)
	}
	if s.timestamp, err = s.ask(ctx, "get_timestamp", "0"); err != nil {
		return nil, err
	}
	if _, err := strconv.ParseInt(s.timestamp, 10, 64); err != nil {
		return nil, fmt.Errorf("get_timestamp of the tree printed %q, which is not a number of seconds", s.timestamp)
	}
	s.tempSize = defaultTempSize
	if file := filepath.Join(s.dir, "build.config"); exists(file) && !s.look {
		if err := treefs.Check(file, treefs.MostFile); err != nil {
			return nil, fmt.Errorf("read the tree's build.config: %w", err)
		}
		out, err := s.run(ctx, "bash", "-c", `. ./build.config >&2; echo "${tempfs_size-}"`)
		if err != nil {
			return nil, fmt.Errorf("read the tree's build.config: %w", err)
		}
		if out != "" {
			s.tempSize = out
		}
		if !sizeWord.MatchString(s.tempSize) {
			return nil, fmt.Errorf("build.config of the tree sets tempfs_size to %q, which is not a size", s.tempSize)
		}
	}
	return s, nil
}

// version asks the tree which version, that is which suite of the archive, it
// builds.
func (s *treeSettings) version(ctx context.Context) (string, error) {
	v, err := s.ask(ctx, "get_version", defaultVersion)
	if err == nil && !plainWord.MatchString(v) {
		err = fmt.Errorf("get_version of the tree printed %q, which is not a version", v)
	}
	return v, err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
