package build

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian"
	"github.com/treewright/treewright/builder/distro/debian/debtest"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/treetest"
)

// direct is Debian on a machine that asks archives without a proxy, and takes dates
// seriously.
type direct struct{ debian.Family }

func (direct) Access(_ context.Context, auth []string) (distro.Access, error) {
	return debian.Policy{Auth: auth, Options: [][2]string{
		{"Acquire::http::Proxy", "DIRECT"}, {"Acquire::https::Proxy", "DIRECT"}, {"Acquire::Check-Valid-Until", "true"},
	}}, nil
}

// prepare plans the flavour x of a tree with one flavour file, by the machine's own
// apt.
func prepare(t *testing.T, flavour string, o Options) (*Prepared, error) {
	t.Helper()
	return prepareWith(t, map[string]string{"flavours/x.hcl": flavour}, o)
}

// prepareWith is prepare in a tree with some files.
func prepareWith(t *testing.T, files map[string]string, o Options) (*Prepared, error) {
	t.Helper()
	o.Tree = t.TempDir()
	treetest.WriteAll(t, o.Tree, map[string]string{"features/base/info.yaml": "description: base\ntype: platform\n"})
	treetest.WriteAll(t, o.Tree, files)
	o.Backend = &Backend{
		Families: distro.Families{direct{}}, Arch: "amd64",
		Host: func(context.Context, distro.Distro, event.Sink) (string, error) { return "none", nil },
	}
	b, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	project, _, err := b.Load()
	if err != nil {
		t.Fatal(err)
	}
	s, err := b.Resolve(t.Context(), project, "x")
	if err != nil {
		t.Fatal(err)
	}
	p, err := b.Prepare(t.Context(), s, &recorder{})
	if err == nil {
		t.Cleanup(p.Close)
	}
	return p, err
}

func flavourX(r *debtest.Repo, mirror, suite, components string) string {
	return fmt.Sprintf(`flavour "x" {
  distribution {
    suite      = %q
    mirror     = %q
    components = %s
    keyring    = %q
  }
  features = ["base"]
}
`, suite, mirror, components, r.Key.Keyring)
}

// TestFaultsOfSourcesHavePlaces: each is told at the field, with what was meant.
func TestFaultsOfSourcesHavePlaces(t *testing.T) {
	r := debtest.New(t, &debtest.Suite{Name: "testing", Packages: debtest.Base(), Components: map[string][]debtest.Package{"contrib": nil}})
	m := r.Serve(t)
	other := debtest.NewKey(t, "other")
	more := func(flavour, more string) string { return strings.Replace(flavour, "  }\n", more+"  }\n", 1) }
	shadow := fmt.Sprintf("    source \"own\" {\n      urls     = [%q]\n      suites   = [\"testing\"]\n      keyring  = %q\n      packages = [\"base-*\"]\n      priority = -1\n    }\n", m.URL, r.Key.Keyring)
	for name, tc := range map[string]struct {
		flavour string
		line    int
		says    string
		outside bool
	}{
		"suite":     {flavourX(r, m.URL, "tesitng", `["main"]`), 3, `Did you mean "testing"?`, false},
		"component": {flavourX(r, m.URL, "testing", "[\n      \"main\",\n      \"contribb\",\n    ]"), 7, `Did you mean "contrib"?`, false},
		"mirror":    {flavourX(r, m.URL+"/debian", "testing", `["main"]`), 4, `Did you mean "` + m.URL + `"?`, false},
		// The suite with the updates does not have it either, and does not exist.
		"component of more suites": {more(flavourX(r, m.URL, "testing", `["contribb"]`), "    updates = true\n"), 5, `Did you mean "contrib"?`, false},
		"suite that is added":      {more(flavourX(r, m.URL, "testing", `["main"]`), "    updates = true\n"), 7, `has no suite "testing-updates". updates = false does without it.`, false},
		"essential":                {more(flavourX(r, m.URL, "testing", `["main"]`), shadow), 11, `Does the source "own" take some of them away?`, false},
		"keyring":                  {strings.Replace(flavourX(r, m.URL, "testing", `["main"]`), r.Key.Keyring, other.Keyring, 1), 6, r.Key.Fingerprint, true},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := prepare(t, tc.flavour, Options{})
			var faults *diag.Faults
			if !errors.As(err, &faults) || len(faults.List) != 1 {
				t.Fatalf("error %v", err)
			}
			d := faults.List[0]
			if d.Subject == nil || config.PlaceOf(*d.Subject) != fmt.Sprintf("flavours/x.hcl:%d", tc.line) || !strings.Contains(d.Detail, tc.says) || faults.Outside != tc.outside {
				t.Errorf("%v (outside: %v), want line %d and %s", d, faults.Outside, tc.line, tc.says)
			}
		})
	}
	if _, err := prepare(t, flavourX(r, m.URL, "testing", `["main", "contrib"]`), Options{}); err != nil {
		t.Errorf("without a fault: %v", err)
	}
}
