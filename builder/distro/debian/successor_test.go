package debian

import (
	"slices"
	"strings"
	"testing"
)

// smallIndex makes an index of lines "NAME FIELD: VALUE; FIELD: VALUE".
func smallIndex(t *testing.T, lines string) *Index {
	t.Helper()
	var text strings.Builder
	for line := range strings.Lines(lines) {
		name, fields, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name == "" {
			continue
		}
		text.WriteString("Package: " + name + "\nVersion: 1\n")
		for _, f := range strings.Split(fields, ";") {
			if f = strings.TrimSpace(f); f != "" {
				text.WriteString(f + "\n")
			}
		}
		text.WriteString("\n")
	}
	ix, err := ParseIndex([]byte(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	return ix
}

func TestSuccessor(t *testing.T) {
	ix := smallIndex(t, `
		setuptools Replaces: pkg-resources (<< 3), other; Breaks: pkg-resources (<< 3)
		docs Replaces: pkg-resources
		polkitd Replaces: policykit
		pkexec Replaces: policykit:any
		python3 Depends: libfoo, python3.14 (>= 3.14), x
		python3.13
		python3.14
		python3.15
		python3-minimal Pre-Depends: python3.14-minimal
		python3.14-minimal
		python3.15-minimal
		gcc-14-base
		gcc-9-base
		gcc-16-base
		postgresql Depends: postgresql-18
		postgresql-18
		postgresql-19
		libssl3t64
		libssl-dev
		libgamin0t64 Provides: libgamin0 (= 1)
		libamin
		libamint64
		fooamd64
		bararm64
	`)
	tests := map[string]struct {
		want     string
		replaces bool
	}{
		"pkg-resources":      {"setuptools", true}, // docs can be installed beside it
		"policykit":          {"pkexec polkitd", true},
		"python3.11":         {"python3.14", false}, // and not 3.15, which is not yet the one
		"python3.11-minimal": {"python3.14-minimal", false},
		"gcc-13-base":        {"gcc-16-base", false}, // by number, not by letter
		"postgresql-15":      {"postgresql-18", false},
		"libssl1.1":          {"libssl3t64", false},
		"libssl":             {"", false},
		"libamine":           {"", false},
		"barx86":             {"", false},
		"fooi386":            {"", false},
		"unheard-of":         {"", false},
	}
	for name, test := range tests {
		got := ix.Successor(name)
		if strings.Join(got.Names, " ") != test.want || got.Replaces != test.replaces {
			t.Errorf("%s: got %+v, want %+v", name, got, test)
		}
	}
	renamed := smallIndex(t, "libext2t64")
	if got := renamed.Successor("libext2"); !slices.Equal(got.Names, []string{"libext2t64"}) {
		t.Errorf("t64: got %v", got)
	}
	renamed = smallIndex(t, "libapt")
	if got := renamed.Successor("libaptt64"); !slices.Equal(got.Names, []string{"libapt"}) {
		t.Errorf("t64 that went away again: got %v", got)
	}
}

func TestProviders(t *testing.T) {
	ix := smallIndex(t, `
		exim Provides: mail-agent, exim-abi (= 1)
		postfix Provides: mail-agent
		awk Provides: other
		gawk Provides: awk
	`)
	if got := ix.Providers("mail-agent"); !slices.Equal(got, []string{"exim", "postfix"}) {
		t.Errorf("got %v", got)
	}
	if got := ix.Providers("awk"); got != nil {
		t.Errorf("a package is its own: got %v", got)
	}
	if got := ix.Providers("exim-abi"); !slices.Equal(got, []string{"exim"}) {
		t.Errorf("got %v", got)
	}
}
