package gardenlinux

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian"
)

func TestPackageFaults(t *testing.T) {
	index, err := debian.ParseIndex([]byte(`Package: python3.14
Version: 3.14.1-1

Package: podman
Version: 5
Provides: containers

Package: docker
Version: 5
Provides: containers

Package: next
Version: 1
Replaces: last
Conflicts: last

Package: a
Version: 1
Replaces: several

Package: b
Version: 1
Replaces: several
`))
	if err != nil {
		t.Fatal(err)
	}
	src := distro.Source{URL: "http://m", Suite: "testing"}
	tests := map[string]string{
		"podman":        "",
		"podman:arm64":  "",
		"podman=5":      "",
		"podman=6":      "http://m testing has podman in version 5, not 6.",
		"podmna":        `http://m testing has no package "podmna". Did you mean "podman"?`,
		"podmna:arm64":  `http://m testing has no package "podmna:arm64". Did you mean "podman"?`,
		"python3.11":    `http://m testing has no package "python3.11". Its successor there is "python3.14".`,
		"last":          `http://m testing has no package "last". It is replaced by "next" there.`,
		"several":       `http://m testing has no package "several". It is replaced there by one of "a", "b".`,
		"zzz-unheard":   `http://m testing has no package "zzz-unheard". No replacement is known there: if the system does not need it, remove it from the list.`,
		"containers":    `"containers" is not a real package in http://m testing. Several packages provide it, and apt does not choose one. Name one of them: docker, podman.`,
		"python3.14=2x": "http://m testing has python3.14 in version 3.14.1-1, not 2x.",
	}
	for text, want := range tests {
		name, version, _ := strings.Cut(text, "=")
		w := compose.Want{Want: distro.Want{Name: name, Version: version}, Range: hcl.Range{Filename: "features/a/pkg.include", Start: hcl.Pos{Line: 7}}}
		d := packageFault(src, index, w)
		switch {
		case want == "" && d == nil:
		case d == nil || want == "":
			t.Errorf("%s: got %v, want %q", text, d, want)
		case d.Detail != want || d.Severity != hcl.DiagError || d.Subject.Start.Line != 7:
			t.Errorf("%s: got %v, want %q", text, d, want)
		}
	}
}

func TestNotChecked(t *testing.T) {
	far := distro.Source{URL: "https://packages.example.org/x", Suite: "today"}
	d := notChecked(far, "/tree", errors.New("E: no\n  such host."))
	for _, part := range []string{"https://packages.example.org/x (today)", "E: no such host. ", "./build check -C /tree --mirror " + defaultMirror + " --version testing"} {
		if !strings.Contains(d.Detail, part) {
			t.Errorf("%q does not say %q", d.Detail, part)
		}
	}
	if d := notChecked(distro.Source{URL: defaultMirror, Suite: "testing"}, "/tree", errors.New("x")); strings.Contains(d.Detail, "--mirror") {
		t.Errorf("another archive than Debian's is recommended: %q", d.Detail)
	}
	if d := notChecked(far, "/tree", fmt.Errorf("prepare: %w", fs.ErrPermission)); !strings.HasSuffix(d.Detail, "Let --cache name a directory that can be written.") {
		t.Errorf("got %q", d.Detail)
	}
	if got := firstWords(errors.New(strings.Repeat("word ", 100))); len(got) > 310 || !strings.HasSuffix(got, "word ...") {
		t.Errorf("got %q", got)
	}
}
