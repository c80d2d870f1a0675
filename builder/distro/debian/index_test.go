package debian

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro"
)

const sumA, sumB = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

func stanza(name, version, sum string, more ...string) string {
	s := fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: amd64\nFilename: pool/%s.deb\nSize: 10\nSHA256: %s\n", name, version, name, sum)
	for _, m := range more {
		s += m + "\n"
	}
	return s
}

func TestParseIndex(t *testing.T) {
	text := strings.Join([]string{
		stanza("bash", "5.2-1", sumA, "Essential: yes", "Priority: required"),
		stanza("dpkg", "1.23", sumB, "Priority: required"),
		stanza("exim", "4", sumA, "Provides: mail-transport-agent, smtpd (= 4), mta:any", "Description: a\n Package: not-one\n .\n Priority: required"),
		stanza("gcc", "1:14", sumA), stanza("gcc", "1:15", sumB),
	}, "\n") + "\n\n\n"
	ix, err := ParseIndex([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	names := ix.Names()
	slices.Sort(names)
	if want := []string{"bash", "dpkg", "exim", "gcc"}; !slices.Equal(names, want) {
		t.Errorf("names %v, want %v", names, want)
	}
	if got := ix.Required(); !slices.Equal(got, []string{"bash", "dpkg"}) {
		t.Errorf("required %v", got)
	}
	if got := ix.Versions("gcc"); !slices.Equal(got, []string{"1:14", "1:15"}) {
		t.Errorf("versions of gcc: %v", got)
	}
	for name, want := range map[string]bool{"bash": true, "mail-transport-agent": true, "smtpd": true, "mta": true, "not-one": false, "": false, "bas": false} {
		if got := ix.Has(name); got != want {
			t.Errorf("Has(%q) is %v", name, got)
		}
	}
	p, err := ix.Package("gcc", "1:15", "amd64")
	if err != nil || p.SHA256 != sumB || p.Size != 10 || p.Filename != "pool/gcc.deb" || p.Arch != "amd64" || p.Stanza != stanza("gcc", "1:15", sumB) {
		t.Errorf("package %+v, error %v", p, err)
	}
	if _, err := ix.Package("gcc", "1:16", "amd64"); err == nil || !strings.Contains(err.Error(), "no gcc 1:16") {
		t.Errorf("error %v", err)
	}
}

func TestParseIndexFaults(t *testing.T) {
	if _, err := ParseIndex([]byte("Version: 1\n")); err == nil || !strings.Contains(err.Error(), "no Package field") {
		t.Errorf("error %v", err)
	}
	for name, text := range map[string]string{
		"bad Size \"x\"":                strings.Replace(stanza("a", "1", sumA), "Size: 10", "Size: x", 1),
		"bad Size \"-1\"":               strings.Replace(stanza("a", "1", sumA), "Size: 10", "Size: -1", 1),
		"bad SHA256":                    stanza("a", "1", "abc"),
		"bad SHA256 \"A":                stanza("a", "1", strings.ToUpper(sumA)),
		"bad Filename \"/etc/passwd\"":  strings.Replace(stanza("a", "1", sumA), "pool/a.deb", "/etc/passwd", 1),
		"bad Filename \"../../x\"":      strings.Replace(stanza("a", "1", sumA), "pool/a.deb", "../../x", 1),
		"bad Filename \"\"":             strings.Replace(stanza("a", "1", sumA), "Filename: pool/a.deb\n", "", 1),
		"bad package \"../a\"":          stanza("../a", "1", sumA),
		"bad package \"a\" \"1/../2\"":  stanza("a", "1/../2", sumA),
		"bad package \"a\" \"\"":        strings.Replace(stanza("a", "1", sumA), "Version: 1\n", "", 1),
		"bad package \"a\" \"1\" \"\"":  strings.Replace(stanza("a", "1", sumA), "Architecture: amd64\n", "", 1),
		"bad package \"a\" \"1\" \"x/y": strings.Replace(stanza("a", "1", sumA), "amd64", "x/y", 1),
	} {
		if _, err := parsePackages([]byte(text)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v, want one with %s", err, name)
		}
	}
}

// FuzzParseIndex: whatever comes in, what comes out is safe to use, and comes
// out again after being written.
func FuzzParseIndex(f *testing.F) {
	f.Add([]byte(stanza("a", "1", sumA) + "\n" + stanza("b", "2", sumB, "Provides: x, y")))
	f.Add([]byte("Package: a\n\n\nPackage:\n"))
	f.Add([]byte("\n\n\n"))
	f.Add([]byte("Package: a\r\nVersion: 1"))
	f.Fuzz(func(t *testing.T, text []byte) {
		ix, err := ParseIndex(bytes.Clone(text))
		if err != nil {
			return
		}
		for _, name := range ix.Names() {
			if name == "" || !ix.Has(name) || len(ix.Versions(name)) == 0 {
				t.Fatalf("a package %q", name)
			}
		}
		packages, err := parsePackages(text)
		if err != nil {
			return
		}
		for _, p := range packages {
			if strings.Contains(poolName(p), "/") || !isSHA256(p.SHA256) || p.Size < 0 || strings.HasPrefix(p.Filename, "/") {
				t.Fatalf("a package %+v", p)
			}
		}
		again, err := parsePackages((&distro.Closure{Packages: packages}).Index())
		if err != nil {
			t.Fatalf("what was read cannot be read again: %v", err)
		}
		if (&distro.Closure{Packages: again}).Digest() != (&distro.Closure{Packages: packages}).Digest() && !repeated(packages) {
			t.Fatalf("read again it differs:\n%+v\n%+v", packages, again)
		}
	})
}

// repeated reports whether a name is there twice: then the order is open.
func repeated(ps []distro.Archived) bool {
	for i := 1; i < len(ps); i++ {
		if ps[i].Name == ps[i-1].Name {
			return true
		}
	}
	return false
}

func TestClosure(t *testing.T) {
	pkg := func(name, version, sum string) distro.Archived {
		return distro.Archived{Package: distro.Package{Name: name, Version: version, Arch: "amd64"}, SHA256: sum, Size: 5, Stanza: stanza(name, version, sum)}
	}
	sumC := strings.Repeat("c", 64)
	a, b, c := pkg("a", "1", sumA), pkg("b", "1", sumB), pkg("c", "1", sumC)
	all := &distro.Closure{Packages: []distro.Archived{a, b, c}}
	if got := all.Minus(&distro.Closure{Packages: []distro.Archived{b}}).Names(); !slices.Equal(got, []string{"a", "c"}) {
		t.Errorf("minus b: %v", got)
	}
	// Another version of b is another package.
	if got := all.Minus(&distro.Closure{Packages: []distro.Archived{pkg("b", "2", strings.Repeat("d", 64))}}).Names(); len(got) != 3 {
		t.Errorf("minus another b: %v", got)
	}
	if got := all.Minus(all).Names(); len(got) != 0 {
		t.Errorf("minus itself: %v", got)
	}
	digest := all.Digest()
	for name, other := range map[string]*distro.Closure{
		"less":            {Packages: []distro.Archived{a, b}},
		"another version": {Packages: []distro.Archived{a, b, pkg("c", "2", sumC)}},
		"another sum":     {Packages: []distro.Archived{a, b, pkg("c", "1", sumA)}},
	} {
		if other.Digest() == digest {
			t.Errorf("%s: the same digest", name)
		}
	}
	moved := &distro.Closure{Packages: slices.Clone(all.Packages)}
	moved.Packages[0].Filename, moved.Packages[0].Stanza = "elsewhere", "Package: a\n"
	if moved.Digest() != digest {
		t.Error("the place on the mirror is in the digest")
	}
	back, err := parsePackages(all.Index())
	if err == nil && (&distro.Closure{Packages: back}).Digest() != digest {
		t.Error("read back from its index it differs")
	}
	if err != nil {
		t.Error(err)
	}
}
