package plantest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/plan"
)

// goldenStep is what a golden file shows of a step: all that its key covers,
// but with the names of other steps where the key has their keys.
type goldenStep struct {
	ID        string            `json:"id"`
	Action    string            `json:"action"`
	Version   int               `json:"version"`
	Needs     []string          `json:"needs,omitempty"`
	Base      string            `json:"base,omitempty"`
	Tools     string            `json:"tools,omitempty"`
	Inputs    map[string]string `json:"inputs,omitempty"`
	Params    json.RawMessage   `json:"params,omitempty"`
	Env       map[string]string `json:"env,omitempty"`
	Sources   map[string]string `json:"sources,omitempty"`
	Output    plan.OutputKind   `json:"output"`
	Network   bool              `json:"network,omitempty"`
	Arch      string            `json:"arch"`
	Artifacts []plan.Artifact   `json:"artifacts,omitempty"`
}

// Closure has the named packages, in a version and with a content of their
// own, on top of base.
func Closure(base *distro.Closure, arch string, names ...string) *distro.Closure {
	c := &distro.Closure{}
	have := map[string]bool{}
	if base != nil {
		c.Packages = slices.Clone(base.Packages)
		for _, p := range base.Packages {
			have[p.Name] = true
		}
	}
	for _, name := range names {
		if have[name] {
			continue
		}
		have[name] = true
		sum := sha256.Sum256([]byte(name + arch))
		p := distro.Archived{
			Package: distro.Package{Name: name, Version: "1.0-1", Arch: arch}, Filename: "pool/" + name + ".deb", Size: 1000, SHA256: hex.EncodeToString(sum[:]),
		}
		p.Stanza = fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: %s\nFilename: %s\nSize: %d\nSHA256: %s\n", p.Name, p.Version, p.Arch, p.Filename, p.Size, p.SHA256)
		c.Packages = append(c.Packages, p)
	}
	slices.SortFunc(c.Packages, func(a, b distro.Archived) int { return strings.Compare(a.Name, b.Name) })
	return c
}

// Golden is what a golden file shows of a plan. params returns a step's parameters
// as they are to be shown; nil shows them as they are.
func Golden(t *testing.T, g *plan.Graph, params func(*plan.Step) json.RawMessage) []byte {
	t.Helper()
	var steps []goldenStep
	for _, s := range g.Steps() {
		gs := goldenStep{
			ID: s.ID, Action: s.Action, Version: s.Version, Needs: g.Needs(s.ID), Base: s.Base, Tools: s.Tools, Inputs: s.Inputs,
			Params: s.Params, Env: s.Env, Output: s.Output, Network: s.Network, Arch: s.Arch, Artifacts: s.Artifacts,
		}
		if params != nil {
			gs.Params = params(s)
		}
		for _, src := range s.Sources {
			if gs.Sources == nil {
				gs.Sources = map[string]string{}
			}
			gs.Sources[src.Name] = src.Digest
		}
		steps = append(steps, gs)
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(steps); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// FirstDifference describes where a text is not what it was.
func FirstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range a {
		if i >= len(b) || a[i] != b[i] {
			was := "the end"
			if i < len(b) {
				was = b[i]
			}
			return fmt.Sprintf("line %d\nnow: %s\nwas: %s", i+1, a[i], was)
		}
	}
	return fmt.Sprintf("it ended with\n%s", strings.Join(b[len(a):], "\n"))
}
