package system

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/gardenlinux/tree"
)

// making returns a feature with image scripts in the notation MAKES<TAKES, empty
// ones as ASKS?, and perhaps "fstab".
func making(name string, what ...string) *config.Feature {
	p := &tree.Parts{}
	f := &config.Feature{Name: name, Range: hcl.Range{Filename: name}, Extra: p}
	for _, w := range what {
		makes, takes, script := strings.Cut(w, "<")
		if !script {
			p.Fstab = p.Fstab || w == "fstab"
			p.FstabMod = p.FstabMod || w == "fstab.mod"
			if asks, empty := strings.CutSuffix(w, "?"); empty {
				p.Asks = append(p.Asks, asks)
			}
			continue
		}
		s := tree.ImageScript{File: "convert." + makes + "~" + takes, Makes: makes, Takes: takes, Range: hcl.Range{Filename: name + "/" + makes}}
		if takes == "tar" {
			s.File = "image." + makes
		}
		if w == "raw<tar" {
			s.File = "image"
		}
		p.Images = append(p.Images, s)
	}
	return f
}

func TestArtifacts(t *testing.T) {
	for _, tc := range []struct {
		rule     string
		features []*config.Feature
		none     bool // no platform
		want     string
		faults   []string
	}{
		{
			rule:     "a platform without scripts has a disk image",
			features: []*config.Feature{making("base", "fstab")},
			want:     "tar release manifest sbom requirements raw",
		}, {
			rule:     "without a platform there is nothing to boot on",
			features: []*config.Feature{making("base", "fstab")}, none: true,
			want: "tar release manifest sbom requirements",
		}, {
			rule:     "who makes something else gets no disk image besides",
			features: []*config.Feature{making("base", "fstab"), making("container", "oci<tar")},
			want:     "tar release manifest sbom requirements oci",
		}, {
			rule:     "what a script takes is made though nobody asked for it",
			features: []*config.Feature{making("base", "fstab"), making("ali", "qcow2<raw")},
			want:     "tar release manifest sbom requirements (raw) qcow2",
		}, {
			rule:     "scripts form chains, in whatever order their features come",
			features: []*config.Feature{making("a", "uki<esp.tar", "raw<esp.tar"), making("b", "qcow2<raw", "esp.tar<tar")},
			want:     "tar release manifest sbom requirements esp.tar uki raw qcow2",
		}, {
			rule:     "a script goes before what is built in",
			features: []*config.Feature{making("a", "release<tar", "raw<tar")},
			want:     "tar release* manifest sbom requirements raw*",
		}, {
			rule:     "who makes the disk image in another way may still want something else",
			features: []*config.Feature{making("a", "raw<tar", "x<tar")},
			want:     "tar release manifest sbom requirements x",
		}, {
			rule:     "two scripts for one artifact",
			features: []*config.Feature{making("a", "x<tar"), making("b", "x<raw", "fstab")},
			faults:   []string{"b/x: Two scripts for one artifact"},
		}, {
			rule:     "a circle",
			features: []*config.Feature{making("a", "x<y"), making("b", "y<x")},
			faults:   []string{"b/y: Artifacts made of each other|.x takes .y takes .x"},
		}, {
			rule:     "a script that takes what it makes",
			features: []*config.Feature{making("a", "x<x")},
			faults:   []string{"a/x: Artifacts made of each other"},
		}, {
			rule:     "nothing makes it",
			features: []*config.Feature{making("a", "x<esp.ta"), making("b", "esp.tar<tar")},
			faults:   []string{`a/x: Nothing makes the artifact|Did you mean "esp.tar"?`},
		}, {
			rule:     "no layout for the disk image",
			features: []*config.Feature{making("a"), making("b", "qcow2<raw")},
			faults:   []string{"b: No partition layout"},
		}, {
			rule:     "a program may write the layout alone",
			features: []*config.Feature{making("a", "fstab.mod")},
			want:     "tar release manifest sbom requirements raw",
		}, {
			rule:     "an empty script asks for what others make",
			features: []*config.Feature{making("a", "fstab", "raw?", "x?", "b?", "release?"), making("b", "b<raw")},
			want:     "tar release manifest sbom requirements raw b",
		},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			got, diags := artifacts(tc.features, !tc.none)
			var faults []string
			for _, d := range diags {
				faults = append(faults, fmt.Sprintf("%s: %s|%s", d.Subject.Filename, d.Summary, d.Detail))
			}
			if len(faults) != len(tc.faults) {
				t.Fatalf("faults: %q", faults)
			}
			for i, want := range tc.faults {
				for part := range strings.SplitSeq(want, "|") {
					if !strings.Contains(faults[i], part) {
						t.Errorf("fault %q lacks %q", faults[i], part)
					}
				}
			}
			if len(tc.faults) > 0 {
				return
			}
			var words []string
			for _, a := range got {
				w := a.Extension
				if a.Script != nil && slices.Contains(builtin, w) || w == "raw" && a.Script != nil && a.Takes == "tar" {
					w += "*"
				}
				if !a.Listed {
					w = "(" + w + ")"
				}
				words = append(words, w)
			}
			if s := strings.Join(words, " "); s != tc.want {
				t.Errorf("got  %s\nwant %s", s, tc.want)
			}
		})
	}
}

func TestListed(t *testing.T) {
	features := []*config.Feature{making("a", "z<y", "c?"), making("b", "fstab", "release<tar", "y<raw", "c<z")}
	s := &System{Spec: &compose.Spec{Features: features}}
	var diags hcl.Diagnostics
	if s.Artifacts, diags = artifacts(features, true); diags.HasErrors() {
		t.Fatal(diags)
	}
	if got := strings.Join(s.Listed(), " "); got != "tar release manifest sbom requirements z c y" {
		t.Errorf("listed are %s", got)
	}
}
