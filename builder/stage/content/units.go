package content

import (
	"context"
	"errors"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/sandbox"
	"github.com/treewright/treewright/builder/treefs"
)

// unit is a unit and "enable", "disable" or "mask".
type unit struct {
	Name string `json:"name"`
	Verb string `json:"verb"`
}

// unitDirs are where systemd finds units.
var unitDirs = []string{"etc/systemd/system", "usr/local/lib/systemd/system", "usr/lib/systemd/system"}

// states are what systemctl may say of a unit after a verb.
var states = map[string][]string{
	"enable":  {"enabled", "alias", "indirect", "generated", "linked"},
	"disable": {"disabled", "indirect", "masked"},
	"mask":    {"masked"},
}

// units does with the units what is asked for: all masks last, as a masked unit cannot
// be enabled by another one either.
func (f *finder) units(ctx context.Context, units []unit, found *diag.Findings) error {
	for _, verb := range []string{"disable", "enable", "mask"} {
		for _, u := range units {
			if u.Verb != verb {
				continue
			}
			if err := found.Add(f.unit(ctx, u)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *finder) unit(ctx context.Context, u unit) error {
	at := "unit " + u.Name
	if !f.hasUnit(u.Name) {
		return f.fault(at, "Unknown unit", "There is no unit %q in the tree, after all packages, files and scripts.%s", u.Name, meant(u.Name, f.unitNames()))
	}
	if err := f.t.InTree(ctx, "systemctl", u.Verb, u.Name); err != nil {
		return f.fault(at, "Unit that cannot be set", "The program systemctl cannot %s %q: %w", u.Verb, u.Name, err)
	}
	// It ends with an error for some states.
	f.t.Announce([]string{"systemctl", "is-enabled", u.Name})
	out, err := sandbox.Command{Argv: []string{"systemctl", "is-enabled", u.Name}, Root: f.t.Tree, Env: f.t.Env()}.Output(ctx)
	state := strings.TrimSpace(string(out))
	if state == "" && err != nil {
		return f.fault(at, "Unit that cannot be set", "The program systemctl cannot tell whether %q is enabled: %w", u.Name, err)
	}
	switch {
	case slices.Contains(states[u.Verb], state):
		return nil
	case state == "static" && u.Verb == "enable":
		return f.fault(at, "Unit that cannot be set", "The unit %q cannot be enabled: it has no [Install] section, because other units start it.", u.Name)
	case u.Verb == "disable":
		return f.fault(at, "Unit that cannot be set", "The unit %q cannot be disabled: it is %s, as other units start it. Write it in mask.", u.Name, state)
	}
	return f.fault(at, "Unit that cannot be set", "The unit %q is %s after systemctl %s.", u.Name, state, u.Verb)
}

// template is the name of the template that an instance is of, or "".
func template(name string) string {
	stem, instance, ok := strings.Cut(name, "@")
	if ext := path.Ext(name); ok && instance != ext {
		return stem + "@" + ext
	}
	return ""
}

func (f *finder) hasUnit(name string) bool {
	for _, n := range []string{name, template(name)} {
		if n == "" {
			continue
		}
		for _, dir := range unitDirs {
			if _, err := os.Lstat(filepath.Join(f.t.Tree, dir, n)); err == nil {
				return true
			}
		}
	}
	script, ok := strings.CutSuffix(name, ".service")
	return ok && treefs.Exists(filepath.Join(f.t.Tree, "etc/init.d", script))
}

// unitNames are all units of the tree.
func (f *finder) unitNames() []string {
	var names []string
	for _, dir := range unitDirs {
		entries, err := os.ReadDir(filepath.Join(f.t.Tree, dir))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		for _, e := range entries {
			if strings.Contains(e.Name(), ".") && !e.IsDir() {
				names = append(names, e.Name())
			}
		}
	}
	return names
}
