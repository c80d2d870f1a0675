package configtest

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
)

// Project reads a feature tree from a notation of one feature a line: its name,
// its type, what it includes with "+" and excludes with "-", and "stage=NAME".
// The line in the notation is the line of every range.
func Project(t *testing.T, tree string) *config.Project {
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

// Line is the beginning of a line of a file.
func Line(file string, n int) hcl.Range {
	return hcl.Range{Filename: file, Start: hcl.Pos{Line: n, Column: 1}, End: hcl.Pos{Line: n, Column: 1}}
}

// Lines are those of a file, with their places.
func Lines(file string, texts ...string) []config.Line {
	var out []config.Line
	for i, text := range texts {
		r := Line(file, i+1)
		r.End.Column += len(text)
		r.End.Byte += len(text)
		out = append(out, config.Line{Text: text, Range: r})
	}
	return out
}
