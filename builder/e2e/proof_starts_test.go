//go:build e2e && proof

package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// offered is a line that begins a comment with something to set.
var offered = regexp.MustCompile(`(?m)^( *)# ( *)(\w+ +=|set "|}$)`)

// TestProofStartingPoints: what people begin with passes its own test in a machine as it
// is: the tree of init, and flavours of new in it and in the shipped tree. So does a
// flavour with all set that it offers as comments.
func TestProofStartingPoints(t *testing.T) {
	shipped := newProject(t)
	own := *shipped
	own.dir = filepath.Join(t.TempDir(), "own")
	if out, code := shipped.treewright(nil, "init", own.dir); code != 0 {
		t.Fatalf("exit %d:\n%s", code, out)
	}
	start := func(p *project, name string, fill bool) {
		if out, code := p.treewright(nil, "new", "flavour", name); code != 0 {
			t.Fatalf("exit %d:\n%s", code, out)
		}
		if !fill {
			return
		}
		file := filepath.Join(p.dir, "flavours", name+".hcl")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		filled := offered.ReplaceAllString(string(text), "$1$2$3")
		// The server does not exist, and a build asks it.
		filled = regexp.MustCompile(`(?m)^ *archive_url = .*\n`).ReplaceAllString(filled, "")
		if strings.Count(filled, "user_keys") != 1 || strings.Contains(filled, "# user_keys") {
			t.Fatalf("not all that is offered is set:\n%s", filled)
		}
		if err := os.WriteFile(file, []byte(filled), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	start(shipped, "mine", false)
	start(&own, "filled", true)
	for _, c := range []struct {
		p       *project
		flavour string
	}{{&own, "example"}, {&own, "filled"}, {shipped, "mine"}} {
		out, code := c.p.treewright(nil, "--progress", "plain", "test", c.flavour)
		if code != 0 || !strings.Contains(out, "base/boot") {
			t.Errorf("%s of %s: exit %d:\n%s", c.flavour, c.p.dir, code, out)
		}
	}
}
