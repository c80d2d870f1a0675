package compose

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
)

// project reads a feature tree from a notation of one feature a line: its name,
// its type, what it includes with "+" and excludes with "-", and "stage=NAME".
// The line in the notation is the line of every range.
func project(t *testing.T, tree string) *config.Project {
	t.Helper()
	p := &config.Project{Features: map[string]*config.Feature{}}
	for i, text := range strings.Split(strings.TrimSpace(tree), "\n") {
		words := strings.Fields(text)
		at := func(column int) hcl.Range {
			pos := hcl.Pos{Line: i + 1, Column: column}
			return hcl.Range{Filename: "tree", Start: pos, End: pos}
		}
		f := &config.Feature{Name: words[0], Type: config.FeatureType(words[1]), Range: at(1)}
		for j, w := range words[2:] {
			ref := config.FeatureRef{Name: w[1:], Range: at(j + 2)}
			switch stage, isStage := strings.CutPrefix(w, "stage="); {
			case isStage:
				f.Stage = stage
			case w[0] == '+':
				f.Include = append(f.Include, ref)
			case w[0] == '-':
				f.Exclude = append(f.Exclude, ref)
			default:
				t.Fatalf("line %d: %q", i+1, w)
			}
		}
		p.Features[f.Name] = f
	}
	return p
}

func graph(t *testing.T, tree string) *Graph {
	t.Helper()
	g, diags := NewGraph(project(t, tree).SortedFeatures())
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return g
}

// flavour asks for features, on line 1, 2, ... of "flavour".
func flavour(features ...string) *config.Flavour {
	f := &config.Flavour{
		Name:         "try",
		Distribution: config.Distribution{Family: "debian", Suite: "trixie", Arch: "arm64"},
		Range:        hcl.Range{Filename: "flavour"},
	}
	for i, name := range features {
		f.Features = append(f.Features, config.FeatureRef{Name: name, Range: line("flavour", i+1)})
	}
	return f
}

func line(file string, n int) hcl.Range {
	return hcl.Range{Filename: file, Start: hcl.Pos{Line: n, Column: 1}, End: hcl.Pos{Line: n, Column: 1}}
}

func lines(file string, texts ...string) []config.Line {
	var out []config.Line
	for i, text := range texts {
		r := line(file, i+1)
		r.End.Column += len(text)
		r.End.Byte += len(text)
		out = append(out, config.Line{Text: text, Range: r})
	}
	return out
}

// wantFaults compares diagnostics, each as "FILE:LINE: SUMMARY: DETAIL", with
// what each must contain, in order; "|" separates several parts.
func wantFaults(t *testing.T, diags hcl.Diagnostics, want ...string) {
	t.Helper()
	var got []string
	for _, d := range diags {
		got = append(got, place(*d.Subject)+": "+d.Summary+": "+d.Detail)
	}
	if len(got) != len(want) {
		t.Fatalf("got %d faults, want %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
	}
	for i := range want {
		for _, part := range strings.Split(want[i], "|") {
			if !strings.Contains(got[i], part) {
				t.Errorf("fault %d is\n  %s\nand does not say\n  %s", i, got[i], part)
			}
		}
	}
}

func names(features []*config.Feature) string {
	var out []string
	for _, f := range features {
		out = append(out, f.Name)
	}
	return strings.Join(out, " ")
}

func packages(ws []Want) string {
	var out []string
	for _, w := range ws {
		if w.Version != "" {
			w.Name += "=" + w.Version
		}
		out = append(out, w.Name)
	}
	return strings.Join(out, " ")
}
