package layer

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/treetest"
)

// store makes a result with a bit of everything that needs no root, and one
// file that is shared with a cache of downloads.
func storeSome(t *testing.T, s *Store, key string) (data, download string) {
	t.Helper()
	d := begin(t, s, key)
	download = filepath.Join(s.root, "download-"+key[:4])
	put(t, download, "a package")
	put(t, filepath.Join(d.Data, "usr/bin/tool"), "program")
	put(t, filepath.Join(d.Data, "usr/lib/empty/.keep"), "")
	put(t, filepath.Join(d.Data, "odd \"name\"\n\xff"), "odd")
	for _, err := range []error{
		os.Chmod(filepath.Join(d.Data, "usr/bin/tool"), 0o755),
		os.Link(filepath.Join(d.Data, "usr/bin/tool"), filepath.Join(d.Data, "usr/bin/tool2")),
		os.Symlink("tool", filepath.Join(d.Data, "usr/bin/link")),
		os.Link(download, filepath.Join(d.Data, "shared.deb")),
		unix.Mkfifo(filepath.Join(d.Data, "pipe"), 0o600),
		unix.Setxattr(filepath.Join(d.Data, "usr/bin/tool"), "user.note", []byte("1"), 0),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Commit(Result{Step: "rootfs/some"}); err != nil {
		t.Fatal(err)
	}
	return s.Data(key), download
}

// reopen is the store as the next build finds it.
func reopen(t *testing.T, s *Store) *Store {
	t.Helper()
	again, err := Open(s.root)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// keepTimes changes a file and puts its times back.
func keepTimes(t *testing.T, path string, change func() error) {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := change(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
}

func TestCheckFindsDamage(t *testing.T) {
	tool := "usr/bin/tool"
	tests := []struct {
		name, path, how string
		do              func(t *testing.T, data, path string) error
	}{
		{"a flipped byte", tool, "has other content: SHA-256 is ", func(t *testing.T, _, path string) error {
			keepTimes(t, path, func() error { return os.WriteFile(path, []byte("pr0gram"), 0) })
			return nil
		}},
		{"a file cut off", tool, "has 0 bytes, not 7", func(_ *testing.T, _, path string) error { return os.Truncate(path, 0) }},
		{"a file touched", tool, "was changed at ", func(_ *testing.T, _, path string) error {
			return os.Chtimes(path, time.Unix(1, 0), time.Unix(1, 0))
		}},
		{"another mode", tool, "has mode 4755, not 0755", func(_ *testing.T, _, path string) error { return unix.Chmod(path, 0o4755) }},
		{"another attribute", tool, "has other extended attributes", func(_ *testing.T, _, path string) error {
			return unix.Setxattr(path, "user.note", []byte("2"), 0)
		}},
		{"one more attribute", "usr/lib", "has other extended attributes", func(_ *testing.T, _, path string) error {
			return unix.Setxattr(path, "user.note", []byte("2"), 0)
		}},
		{"a missing file", "usr/bin/link", "is missing", func(t *testing.T, data, path string) error {
			keepTimes(t, filepath.Join(data, "usr/bin"), func() error { return os.Remove(path) })
			return nil
		}},
		{"a missing directory", "usr/lib/empty", "is missing", func(t *testing.T, data, path string) error {
			keepTimes(t, filepath.Join(data, "usr/lib"), func() error { return os.RemoveAll(path) })
			return nil
		}},
		{"one more file", "usr/lib/empty", "holds more, which was not made by a step", func(t *testing.T, _, path string) error {
			keepTimes(t, path, func() error { return os.WriteFile(filepath.Join(path, "more"), nil, 0o644) })
			return nil
		}},
		{"another type", "usr/bin/link", "is a directory, not a symbolic link", func(t *testing.T, data, path string) error {
			keepTimes(t, filepath.Join(data, "usr/bin"), func() error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o755)) })
			return nil
		}},
		{"a link elsewhere", "usr/bin/link", `leads to "loot", not to "tool"`, func(t *testing.T, data, path string) error {
			var st unix.Stat_t
			if err := unix.Lstat(path, &st); err != nil {
				return err
			}
			keepTimes(t, filepath.Join(data, "usr/bin"), func() error { return errors.Join(os.Remove(path), os.Symlink("loot", path)) })
			return unix.UtimesNanoAt(unix.AT_FDCWD, path, []unix.Timespec{st.Mtim, st.Mtim}, unix.AT_SYMLINK_NOFOLLOW)
		}},
		{"names torn apart", "usr/bin/tool2", "is no longer a hard link to usr/bin/tool", func(t *testing.T, data, path string) error {
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			keepTimes(t, filepath.Join(data, "usr/bin"), func() error {
				return errors.Join(os.Remove(path), os.WriteFile(path, []byte("program"), 0o755), os.Chmod(path, 0o755), os.Chtimes(path, info.ModTime(), info.ModTime()))
			})
			return nil
		}},
		{"an odd name", "odd \"name\"\n\xff", "has 4 bytes, not 3", func(_ *testing.T, _, path string) error { return os.WriteFile(path, []byte("evil"), 0o644) }},
		{"what is shared", "shared.deb", "has other content: SHA-256 is ", func(t *testing.T, _, path string) error {
			keepTimes(t, path, func() error { return os.WriteFile(path, []byte("a pAckage"), 0) })
			return nil
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := openTest(t)
			data, _ := storeSome(t, s, testKey)
			if err := reopen(t, s).Check(testKey); err != nil {
				t.Fatalf("a good result: %v", err)
			}
			if err := test.do(t, data, filepath.Join(data, test.path)); err != nil {
				t.Fatal(err)
			}
			for name, check := range map[string]func(string) error{"Check": reopen(t, s).Check, "Verify": reopen(t, s).Verify} {
				err := check(testKey)
				var d *Damage
				if !errors.As(err, &d) {
					t.Fatalf("%s: %v", name, err)
				}
				if !strings.HasPrefix(d.How, test.how) || d.Step != "rootfs/some" || d.Path != filepath.Join(data, test.path) {
					t.Errorf("%s: %+v, want %s %s", name, d, test.path, test.how)
				}
			}
			// Bad is missing, in this process and in others, until it is made again.
			var d *Damage
			errors.As(s.Verify(testKey), &d)
			if err := s.Condemn(d); err != nil {
				t.Fatal(err)
			}
			for _, s := range []*Store{s, reopen(t, s)} {
				if _, ok, err := s.Get(testKey); ok || err != nil {
					t.Errorf("a damaged result is one, error %v", err)
				}
				if why := s.WhyNot(testKey); why != d.Error() {
					t.Errorf("it was rejected because %q", why)
				}
			}
			reopened := reopen(t, s)
			storeSome(t, reopened, testKey)
			for _, s := range []*Store{reopened, reopen(t, s)} {
				if _, ok, err := s.Get(testKey); !ok || err != nil {
					t.Errorf("there is none after it was made again, error %v", err)
				}
				if why := s.WhyNot(testKey); why != "" {
					t.Errorf("a good result was rejected: %s", why)
				}
				if err := s.Verify(testKey); err != nil {
					t.Error(err)
				}
			}
			if got := names(t, filepath.Join(s.root, "drafts")); len(got) != 0 {
				t.Errorf("drafts left: %v", got)
			}
		})
	}
}

// TestVerifyReadsEverything: a disk that gives other bytes leaves no trace in
// any time. What was seen is written again here, as if the file were as before.
func TestVerifyReadsEverything(t *testing.T) {
	s := openTest(t)
	data, _ := storeSome(t, s, testKey)
	file := filepath.Join(data, "usr/bin/tool")
	keepTimes(t, file, func() error { return os.WriteFile(file, []byte("pr0gram"), 0) })
	entries, err := readIndex(data, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.dir(testKey), seenFile), formatSeen(entries), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := reopen(t, s).Check(testKey); err != nil {
		t.Errorf("what no time tells is found without reading: %v", err)
	}
	var d *Damage
	if err := reopen(t, s).Verify(testKey); !errors.As(err, &d) || d.Path != file || !strings.HasPrefix(d.How, "has other content") {
		t.Errorf("error %v", err)
	}
}

// TestCopiedCache: a cache that was copied with its times is good, is read once,
// and not again.
func TestCopiedCache(t *testing.T) {
	s := openTest(t)
	data, _ := storeSome(t, s, testKey)
	file := filepath.Join(data, "usr/bin/tool")
	file2 := filepath.Join(data, "usr/bin/tool2")
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	keepTimes(t, filepath.Dir(file), func() error {
		return errors.Join(os.Rename(file, file+".old"), Copy(file+".old", file), unix.Setxattr(file, "user.note", []byte("1"), 0),
			os.Remove(file+".old"), os.Remove(file2), os.Link(file, file2))
	})
	before := get(t, filepath.Join(s.dir(testKey), seenFile))
	if err := reopen(t, s).Check(testKey); err != nil {
		t.Fatal(err)
	}
	after := get(t, filepath.Join(s.dir(testKey), seenFile))
	if after == before {
		t.Error("what was read is not noted")
	}
	entries, err := readIndex(data, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	if string(formatSeen(entries)) != after {
		t.Error("what is noted is not what is there")
	}
	if again, err := os.Stat(file); err != nil || !again.ModTime().Equal(info.ModTime()) {
		t.Errorf("the check changed a time: %v", err)
	}
}

// TestDamagedRecords: an empty or changed record is not a result, and the next one
// takes its place.
func TestDamagedRecords(t *testing.T) {
	for name, damage := range map[string]func(string) string{
		"empty":         func(string) string { return "" },
		"cut off":       func(s string) string { return s[:len(s)/2] },
		"zeroes":        func(s string) string { return strings.Repeat("\x00", len(s)) },
		"a flipped bit": func(s string) string { return strings.Replace(s, "rootfs/some", "rootfs/sOme", 1) },
		"without sums":  func(string) string { return `{"key": "` + testKey + `", "step": "rootfs/some"}` },
	} {
		t.Run(name, func(t *testing.T) {
			s := openTest(t)
			storeSome(t, s, testKey)
			file := filepath.Join(s.dir(testKey), resultFile)
			put(t, file, damage(get(t, file)))
			if _, ok, err := s.Get(testKey); ok || err != nil {
				t.Errorf("it is a result, error %v", err)
			}
			if why := s.WhyNot(testKey); strings.Contains(why, file) == (name == "without sums") {
				t.Errorf("it was rejected because %q", why)
			}
			if entries, err := s.List(false); err != nil || len(entries) != 0 {
				t.Errorf("it is listed: %v, error %v", entries, err)
			}
			if keys, err := s.Useless(); err != nil || len(keys) != 1 || keys[0] != testKey {
				t.Errorf("of no use are %v, error %v", keys, err)
			}
			storeSome(t, s, testKey)
			if _, ok, err := s.Get(testKey); !ok || err != nil {
				t.Errorf("there is none after it was made again, error %v", err)
			}
			if keys, err := s.Useless(); err != nil || len(keys) != 0 {
				t.Errorf("of no use are %v, error %v", keys, err)
			}
		})
	}
	for _, file := range []string{indexFile, seenFile} {
		s := openTest(t)
		storeSome(t, s, testKey)
		put(t, filepath.Join(s.dir(testKey), file), "")
		err := reopen(t, s).Check(testKey)
		var d *Damage
		if isDamage := errors.As(err, &d); isDamage != (file == indexFile) || err != nil && !isDamage {
			t.Errorf("%s is lost: error %v", file, err)
		}
	}
}

// TestRootWhiteouts: marks of deletions and what overlayfs notes of directories
// are part of a result.
func TestRootWhiteouts(t *testing.T) {
	if os.Geteuid() != 0 {
		treetest.Skip(t, "needs root: whiteouts are devices")
	}
	tests := map[string]struct {
		how string
		do  func(data string) error
	}{
		"a whiteout is a device": {"is device 1:3, not 0:0", func(data string) error {
			return errors.Join(os.Remove(data+"/gone"), unix.Mknod(data+"/gone", unix.S_IFCHR, int(unix.Mkdev(1, 3))))
		}},
		"a whiteout is a file": {"is a file, not a character device", func(data string) error {
			return errors.Join(os.Remove(data+"/gone"), os.WriteFile(data+"/gone", nil, 0o644))
		}},
		"no longer opaque": {"has other extended attributes", func(data string) error {
			return unix.Lremovexattr(data+"/dir", "trusted.overlay.opaque")
		}},
		"another owner": {"belongs to 1000:0, not 0:0", func(data string) error { return os.Lchown(data+"/dir", 1000, 0) }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := openTest(t)
			d := begin(t, s, testKey)
			for _, err := range []error{
				unix.Mknod(filepath.Join(d.Data, "gone"), unix.S_IFCHR, 0),
				os.Link(filepath.Join(d.Data, "gone"), filepath.Join(d.Data, "gone2")),
				os.Mkdir(filepath.Join(d.Data, "dir"), 0o755),
				unix.Setxattr(filepath.Join(d.Data, "dir"), "trusted.overlay.opaque", []byte("y"), 0),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
			if err := d.Commit(Result{Step: "s"}); err != nil {
				t.Fatal(err)
			}
			if err := reopen(t, s).Verify(testKey); err != nil {
				t.Fatal(err)
			}
			var err error
			keepTimes(t, s.Data(testKey), func() error { err = test.do(s.Data(testKey)); return err })
			var damage *Damage
			if err := reopen(t, s).Check(testKey); !errors.As(err, &damage) || damage.How != test.how {
				t.Errorf("error %v, want one that says: %s", err, test.how)
			}
		})
	}
}
