package debian

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/distro"
)

// poolStanza is a package as an archive describes it.
func poolStanza(t *testing.T, name, version string) distro.Archived {
	t.Helper()
	p, err := parsePackage(fmt.Appendf(nil, "Package: %s\nArchitecture: amd64\nVersion: %s\nDepends: libc6 (>= 2.38),\n other\nFilename: pool/main/x/%s_%%3a.deb\nSize: 12\nMD5sum: abc\nSHA256: %s\nDescription: x\n the Filename: of it\n", name, version, name, strings.Repeat(name[:1], 64)))
	if err != nil {
		t.Fatal(err)
	}
	p.Source, p.Suite = "vendor", "./"
	return p
}

// TestPooledPackagesAreThoseOfTheArchive: the packages read from a pool are equal to the packages chosen from the archive.
func TestPooledPackagesAreThoseOfTheArchive(t *testing.T) {
	all := []distro.Archived{poolStanza(t, "a1", "1:2~rc1+b1-3"), poolStanza(t, "bb", "1")}
	made, err := Family{}.PoolIndex("c0ffee", all, time.Unix(1700000000, 0), func(string) []byte { return nil })
	if err != nil {
		t.Fatal(err)
	}
	back, err := Family{}.Pooled("c0ffee", func(name string) ([]byte, error) { return made.Files[name], nil })
	if err != nil || !slices.Equal(back, all) {
		t.Errorf("read are %+v, %v", back, err)
	}
	if p := made.Packages["files/"+all[0].SHA256+".deb"]; len(made.Packages) != 2 || p.From != "pool/a1_2~rc1+b1-3_amd64.deb" || p.SHA256 != all[0].SHA256 {
		t.Errorf("the files are %v", made.Packages)
	}
	// The same packages make the same files. With fewer packages, the release file is newer.
	again, err := Family{}.PoolIndex("c0ffee", all, time.Unix(1800000000, 0), func(name string) []byte { return made.Files[name] })
	if err != nil || string(again.Files["Release"]) != string(made.Files["Release"]) {
		t.Errorf("the release file is\n%s, %v", again.Files["Release"], err)
	}
	for built, date := range map[int64]string{1700000000: "Tue, 14 Nov 2023 22:13:21 UTC", 1800000000: "Fri, 15 Jan 2027 08:00:00 UTC"} {
		fewer, err := Family{}.PoolIndex("c0ffee", all[:1], time.Unix(built, 0), func(name string) []byte { return made.Files[name] })
		if err != nil || !strings.Contains(string(fewer.Files["Release"]), "Date: "+date+"\n") {
			t.Errorf("the release file is\n%s, %v", fewer.Files["Release"], err)
		}
	}
}

// TestPooledRefuses: an index with another hash than in the release file, and files that are not at the paths of pools.
func TestPooledRefuses(t *testing.T) {
	p := poolStanza(t, "a1", "1")
	for name, c := range map[string]struct {
		change func(files map[string][]byte)
		want   string
	}{
		"another index": {func(f map[string][]byte) { f["Packages"] = append(f["Packages"], '\n') }, "is not the file that Release has the SHA-256 of"},
		"no release":    {func(f map[string][]byte) { f["Release"] = nil }, `Release is the release file of the pool of ""`},
		"the release file of another pool": {func(f map[string][]byte) {
			f["Release"] = bytes.Replace(f["Release"], []byte("c0ffee"), []byte("c0ffef"), 1)
		}, `Release is the release file of the pool of "c0ffef"`},
		"another file": {func(f map[string][]byte) {
			text := strings.Replace(string(f["Packages"]), "Filename: files/", "Filename: ../files/", 1)
			f["Packages"], f["Release"] = []byte(text), releaseFor(text)
		}, "bad Filename"},
		"a file elsewhere": {func(f map[string][]byte) {
			text := strings.Replace(string(f["Packages"]), "Filename: files/a", "Filename: files/b", 1)
			f["Packages"], f["Release"] = []byte(text), releaseFor(text)
		}, "has to be files/aaaa"},
		"an archive's file elsewhere": {func(f map[string][]byte) {
			text := strings.Replace(string(f["Packages"]), "Treewright-Filename: pool", "Treewright-Filename: /etc", 1)
			f["Packages"], f["Release"] = []byte(text), releaseFor(text)
		}, "bad Filename"},
	} {
		made, err := Family{}.PoolIndex("c0ffee", []distro.Archived{p}, time.Unix(1700000000, 0), func(string) []byte { return nil })
		if err != nil {
			t.Fatal(err)
		}
		c.change(made.Files)
		if _, err := (Family{}).Pooled("c0ffee", func(name string) ([]byte, error) { return made.Files[name], nil }); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// releaseFor is a release file with the hash of an index.
func releaseFor(text string) []byte {
	return fmt.Appendf(nil, "Codename: c0ffee\nSHA256:\n %s\n", indexLine([]byte(text)))
}
