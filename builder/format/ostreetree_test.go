package format

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
)

// Checksums of the file objects in testdata/ostree, as ostree 2026.4 gave them.
// passwd has extended attributes of 300 bytes, so an offset of two bytes.
const (
	passwdSum = "f723a669a99420cd2f7ca0f5e55b75bba4d272bb5c74f956e36e5022f0a0fbee"
	groupSum  = "642c9b7216ce7856c51722fedd934e4175444ad4c55da81f5f09118b169d05b0"
	linkSum   = "d1036f07a1dd45e16b43c87bb487eb100afe0d5fe5320f610092c16eecdbb709"
)

func TestParseOSTreeDir(t *testing.T) {
	raw := read(t, "etc.dirtree")
	etc, err := ParseOSTreeDir(raw)
	if err != nil {
		t.Fatal(err)
	}
	if etc.Files["passwd"] != passwdSum || etc.Files["group"] != groupSum || etc.Files["link"] != linkSum || len(etc.Files) != 33 || len(etc.Dirs) != 0 {
		t.Errorf("/usr/etc: %d files, %d directories: %v", len(etc.Files), len(etc.Dirs), etc.Files)
	}
	usr, err := ParseOSTreeDir(read(t, "usr.dirtree"))
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(raw); usr.Dirs["etc"] != hex.EncodeToString(sum[:]) || len(usr.Dirs) != 1 || len(usr.Files) != 0 {
		t.Errorf("/usr: %+v", usr)
	}
	if empty, err := ParseOSTreeDir([]byte{0}); err != nil || len(empty.Files)+len(empty.Dirs) != 0 {
		t.Errorf("an empty directory: %+v, %v", empty, err)
	}
	for i := range raw {
		if _, err := ParseOSTreeDir(raw[:i]); err == nil {
			t.Errorf("the first %d bytes count as a directory", i)
		}
	}
}

func TestReadOSTreeFile(t *testing.T) {
	for name, sum := range map[string]string{"passwd": passwdSum, "group": groupSum} {
		content, err := ReadOSTreeFile(bytes.NewReader(read(t, name+".filez")), sum, 1000)
		if want := map[string]string{"passwd": "root:x:0:0:root:/root:/bin/bash\n", "group": "g\n"}[name]; err != nil || string(content) != want {
			t.Errorf("%s: %q, error %v", name, content, err)
		}
	}
	if _, err := ReadOSTreeFile(bytes.NewReader(read(t, "link.filez")), linkSum, 1000); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a link: error %v", err)
	}
	if _, err := ReadOSTreeFile(bytes.NewReader(read(t, "passwd.filez")), passwdSum, 31); err == nil || !strings.Contains(err.Error(), "more than 31 bytes") {
		t.Errorf("too long: error %v", err)
	}
	// No flipped bit goes unnoticed, except for those that mean nothing: the size,
	// which the checksum does not cover, and padding.
	raw := read(t, "group.filez")
	for i := range raw {
		bad := bytes.Clone(raw)
		bad[i] ^= 1
		content, err := ReadOSTreeFile(bytes.NewReader(bad), groupSum, 1000)
		if err == nil && string(content) != "g\n" {
			t.Errorf("with byte %d changed it holds %q", i, content)
		}
	}
}

// TestCheckOSTreeObject: ostree's own objects are whole; cut off, with any byte
// changed, or with one more they are not.
func TestCheckOSTreeObject(t *testing.T) {
	etc := sha256.Sum256(read(t, "etc.dirtree"))
	for name, sum := range map[string]string{
		"passwd.filez": passwdSum, "group.filez": groupSum, "link.filez": linkSum, "etc.dirtree": hex.EncodeToString(etc[:]),
	} {
		raw := read(t, name)
		_, kind, _ := strings.Cut(name, ".")
		check := func(b []byte) error { return CheckOSTreeObject(bytes.NewReader(b), sum, kind) }
		if err := check(raw); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for i := range raw {
			if check(raw[:i]) == nil {
				t.Errorf("the first %d bytes of %s count as whole", i, name)
			}
			bad := bytes.Clone(raw)
			bad[i] ^= 0x10
			if check(bad) == nil {
				// Padding at the end of a deflated stream means nothing.
				if kind != "filez" || i < len(raw)-8 {
					t.Errorf("%s with byte %d changed counts as whole", name, i)
				}
			}
		}
		if check(append(bytes.Clone(raw), 0)) == nil {
			t.Errorf("%s with a byte after it counts as whole", name)
		}
	}
}

func FuzzOSTreeTree(f *testing.F) {
	for _, name := range []string{"etc.dirtree", "usr.dirtree", "passwd.filez", "group.filez", "link.filez"} {
		f.Add(read(f, name))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, err := ParseOSTreeDir(b); err == nil {
			for name, sum := range d.Files {
				if len(sum) != 64 {
					t.Errorf("%q has the checksum %q", name, sum)
				}
			}
		}
		if content, err := ReadOSTreeFile(bytes.NewReader(b), groupSum, 100); err == nil && string(content) != "g\n" {
			t.Errorf("another content with the same checksum: %q", content)
		}
	})
}
