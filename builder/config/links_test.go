package config

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hashicorp/hcl/v2"
)

func link(to string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte(to), Mode: fs.ModeSymlink | 0o777}
}

func script() *fstest.MapFile { return &fstest.MapFile{Data: []byte("#!/bin/sh\n"), Mode: 0o755} }

func element() *fstest.MapFile { return &fstest.MapFile{Data: []byte("type: element\n")} }

// TestLinksAreFollowed: every kind of link that stays in the tree is as good as
// what it leads to.
func TestLinksAreFollowed(t *testing.T) {
	files := fstest.MapFS{
		"common/b/info.yaml":          element(),
		"common/b/exec.config":        script(),
		"shared/info.yaml":            element(),
		"shared/script":               script(),
		"shared/packages":             {Data: []byte("hello\n")},
		"shared/files/etc/motd":       {},
		"all/a/info.yaml":             element(),
		"all/a/exec.late":             script(),
		"all/beside":                  link("a"),
		"all/outside":                 link("../common/b"),
		"all/inside/info.yaml":        link("../../shared/info.yaml"),
		"all/inside/exec.config":      link("../../shared/script"),
		"all/inside/exec.late":        link("exec.config"),
		"all/inside/pkg.include":      link("../../shared/packages"),
		"all/inside/file.include":     link("../../shared/files"),
		"all/inside/.locked":          link("user@host.123"),
		"all/inside/data/resolv.conf": link("/run/systemd/resolve/stub-resolv.conf"),
		"features":                    link("all"),
		"flavours/one.yaml":           link("../shared/one.yaml"),
		"shared/one.yaml":             {Data: []byte("flavours:\n  one:\n    distribution: {family: debian, suite: testing, arch: amd64}\n    features: [a, beside, outside, inside]\n")},
	}
	p, diags := Load(files, Options{})
	if len(diags) > 0 {
		t.Fatalf("faults: %v", diags)
	}
	if len(p.Flavours) != 1 || len(p.Flavours[0].Features) != 4 {
		t.Fatalf("flavours: %+v", p.Flavours)
	}
	in := p.Features["inside"]
	if !in.HasFiles || !in.Scripts["exec.config"] || !in.Scripts["exec.late"] || len(in.Packages) != 1 {
		t.Errorf("through links: %+v", in)
	}
	if !p.Features["beside"].Scripts["exec.late"] || !p.Features["outside"].Scripts["exec.config"] {
		t.Error("a script in a linked feature is not seen")
	}
}

// TestBadLinks: every place where a link can be, with every way in which one
// can be at fault.
func TestBadLinks(t *testing.T) {
	places := map[string]string{ // where the link is, and how it gets to the root
		"features/x":               "../",
		"features/x/info.yaml":     "../../",
		"features/x/exec.config":   "../../",
		"features/x/exec.build":    "../../",
		"features/x/pkg.include":   "../../",
		"features/x/file.include":  "../../",
		"features/x/test":          "../../",
		"features/x/anything.else": "../../",
		"flavours/f.hcl":           "../",
		"features":                 "",
		"flavours":                 "",
	}
	for place, up := range places {
		for target, want := range map[string]string{
			"/etc/passwd":       "not in this tree",
			up + "../elsewhere": "not in this tree",
			up + "nothing":      "does not exist",
			up + place:          "in a circle",
			up + "leaver":       "not in this tree",
			up + "file/of":      "does not exist",
		} {
			files := fstest.MapFS{"leaver": link("/outside"), "file": {}, place: link(target)}
			if strings.HasPrefix(place, "features/x/") && place != "features/x/info.yaml" {
				files["features/x/info.yaml"] = element()
			}
			_, diags := Load(files, Options{})
			found := slices.ContainsFunc(diags, func(d *hcl.Diagnostic) bool {
				at := place
				if target == up+"leaver" {
					at = "leaver"
				}
				return d.Severity == hcl.DiagError && d.Subject.Filename == at && strings.Contains(d.Detail, want)
			})
			if !found || len(diags) != 1 {
				t.Errorf("%s -> %s: want %q once, got %v", place, target, want, diags)
			}
		}
	}
}

func TestLinksBelowFeatures(t *testing.T) {
	files := fstest.MapFS{
		"shared/etc/motd":                    {},
		"features/x/info.yaml":               element(),
		"features/x/file.include/etc":        link("../../../shared/etc"),
		"features/x/file.include/usr/bin/vi": link("../../etc/alternatives/vi"),
		"features/x/file.include/var/run":    link("/run"),
		"features/x/file.include/usr/lib/a":  {},
		"features/x/file.include/usr/lib/b":  link("a"),
		"features/y/info.yaml":               element(),
		"features/y/data/round":              link("../../y"),
	}
	_, diags := Load(files, Options{})
	var got []string
	for _, d := range diags {
		got = append(got, d.Subject.Filename+": "+d.Summary)
	}
	want := []string{"features/x/file.include/etc: Link copied as a link", "features/y/data/round: Link that cannot be followed"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
