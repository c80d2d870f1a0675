package content

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treefs"
)

// settingsParams are the parameters of [SettingsAction]. What is empty is not set.
type settingsParams struct {
	Timezone string `json:"timezone,omitempty"`
	Locale   string `json:"locale,omitempty"`
	Keymap   string `json:"keymap,omitempty"`
	Units    []unit `json:"units,omitempty"`
	Users    []home `json:"users,omitempty"`
}

// home is what the files of a user need.
type home struct {
	Name  string `json:"name"`
	Home  string `json:"home,omitempty"`
	Shell string `json:"shell"`
	Keys  bool   `json:"keys,omitempty"`
	Sudo  bool   `json:"sudo,omitempty"`
}

// SettingsAction does what a flavour asks for and only a tree with all packages,
// files and scripts' work has the means for.
var SettingsAction = task.Define("content-settings", 1, settle)

func settle(ctx context.Context, t *task.Task, p settingsParams) error {
	f, err := newFinder(t)
	if err != nil {
		return err
	}
	var found diag.Findings
	for _, u := range p.Users {
		if err := found.Add(f.home(ctx, u)); err != nil {
			return err
		}
	}
	for _, s := range []struct {
		value string
		set   func(context.Context, string) error
	}{{p.Timezone, f.timezone}, {p.Locale, f.locale}, {p.Keymap, f.keymap}} {
		if s.value == "" {
			continue
		}
		if err := found.Add(s.set(ctx, s.value)); err != nil {
			return err
		}
	}
	if err := f.units(ctx, p.Units, &found); err != nil {
		return err
	}
	return found.Err()
}

// makeHome makes a home, for the files in it that were copied as root's.
const makeHome = `install -d -m 0700 -o "$1" -g "$1" "$2"
[ -z "$3" ] || install -d -m 0700 -o "$1" -g "$1" "$2/.ssh"`

// home gives a user their home, which is theirs from then on.
func (f *finder) home(ctx context.Context, u home) error {
	at := "user " + u.Name
	if !treefs.Exists(filepath.Join(f.t.Tree, u.Shell)) {
		return f.fault(at, "Unknown shell", "There is no shell %s, which user %q is to have. A package with it is missing.", u.Shell, u.Name)
	}
	if u.Sudo && !treefs.Exists(filepath.Join(f.t.Tree, "usr/bin/sudo")) {
		return f.fault(at, "Missing package", "There is no sudo, by which user %q is to become root. A package with it is missing.", u.Name)
	}
	if u.Home == "" {
		return nil
	}
	keys := ""
	if u.Keys {
		keys = "yes"
	}
	if err := f.t.InTree(ctx, "sh", "-euc", makeHome, "home", u.Name, u.Home, keys); err != nil {
		return f.fault(at, "Home that cannot be made", "The home of user %q cannot be made: %w", u.Name, err)
	}
	return nil
}

const zoneDir = "usr/share/zoneinfo"

// timezone makes /etc/localtime the link that says which zone it is.
func (f *finder) timezone(_ context.Context, zone string) error {
	root, err := treefs.OpenRoot(f.t.Tree)
	if err != nil {
		return err
	}
	defer root.Close()
	// Files of other kinds are there as well, such as leapseconds.
	if data, err := fs.ReadFile(root, zoneDir+"/"+zone); err != nil || !bytes.HasPrefix(data, []byte("TZif")) {
		known, err := names(filepath.Join(f.t.Tree, zoneDir))
		if err != nil {
			return f.fault("timezone", "Missing package", "The tree has no time zones. The package tzdata is missing.")
		}
		return f.fault("timezone", "Unknown time zone", "There is no time zone %q in the tree; old names are in the package tzdata-legacy.%s", zone, meant(zone, known))
	}
	err = root.InParent("etc/localtime", func(dir *os.Root, base string) error {
		if err := dir.Remove(base); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return dir.Symlink("../"+zoneDir+"/"+zone, base)
	})
	if err != nil {
		return fmt.Errorf("set the time zone: %w", err)
	}
	// An older file that some programs still prefer.
	if old := filepath.Join(f.t.Tree, "etc/timezone"); treefs.Exists(old) {
		if err := os.WriteFile(old, []byte(zone+"\n"), 0o644); err != nil {
			return fmt.Errorf("set the time zone: %w", err)
		}
	}
	return nil
}

// names are the files below a directory, as paths relative to it.
func names(dir string) ([]string, error) {
	var out []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.HasPrefix(name, "posix/") && !strings.HasPrefix(name, "right/") {
			out = append(out, name)
		}
		return err
	})
	return out, err
}

const localesDir = "usr/share/i18n/locales"

// locale compiles the locale, which /etc/locale.conf names, from its source. C and
// C.UTF-8 are part of the C library.
func (f *finder) locale(ctx context.Context, locale string) error {
	language, variant, _ := strings.Cut(locale, ".UTF-8")
	if language == "C" || language == "POSIX" {
		return nil
	}
	input := language + variant
	if !treefs.Exists(filepath.Join(f.t.Tree, localesDir, input)) {
		have, err := layer.Glob(filepath.Join(f.t.Tree, localesDir), "*_*")
		if err != nil || len(have) == 0 {
			return f.fault("locale", "Missing package", "The tree has no sources of locales. The package locales is missing.")
		}
		var known []string
		for _, file := range have {
			language, variant, found := strings.Cut(path.Base(file), "@")
			if found {
				variant = "@" + variant
			}
			known = append(known, language+".UTF-8"+variant)
		}
		return f.fault("locale", "Unknown locale", "There is no locale %q in the tree, as it has no %s.%s", locale, "/"+localesDir+"/"+input, meant(locale, known))
	}
	// In a directory of its own: an archive of all locales would depend on the order.
	err := f.t.InTree(ctx, "localedef", "--no-archive", "--no-hard-links", "--inputfile="+input, "--charmap=UTF-8", "--alias-file=/usr/share/locale/locale.alias", locale)
	if err != nil {
		return f.fault("locale", "Locale that cannot be made", "The locale %q cannot be made: %w", locale, err)
	}
	return nil
}

// layout is one layout of a keymap, with a variant in brackets.
var layout = regexp.MustCompile(`^([a-z0-9_]+)(?:\(([A-Za-z0-9_-]+)\))?$`)

// keymap looks up the layouts that /etc/default/keyboard names, and keeps what the
// console loads at boot. Debian makes /etc/vconsole.conf a link to that file.
func (f *finder) keymap(ctx context.Context, keymap string) error {
	rules, err := os.ReadFile(filepath.Join(f.t.Tree, "usr/share/X11/xkb/rules/base.lst"))
	if err != nil {
		return f.fault("keymap", "Missing package", "The tree has no layouts of keyboards. The package console-setup is missing.")
	}
	layouts, variants := readRules(string(rules))
	for part := range strings.SplitSeq(keymap, ",") {
		m := layout.FindStringSubmatch(part)
		if m == nil || !layouts[m[1]] {
			return f.fault("keymap", "Unknown keymap", "There is no layout %q of keyboards.%s", part, meant(part, keys(layouts)))
		}
		if m[2] != "" && !variants[m[1]][m[2]] {
			return f.fault("keymap", "Unknown keymap", "The layout %q of keyboards has no variant %q.%s", m[1], m[2], meant(m[2], keys(variants[m[1]])))
		}
	}
	if !treefs.Exists(filepath.Join(f.t.Tree, "usr/bin/setupcon")) {
		return f.fault("keymap", "Missing package", "The tree has no setupcon, which loads the layout. The package console-setup is missing.")
	}
	if err := f.t.InTree(ctx, "setupcon", "--save-only", "--keyboard-only", "--force"); err != nil {
		return f.fault("keymap", "Keymap that cannot be kept", "The layout %q cannot be kept for the console: %w", keymap, err)
	}
	return nil
}

// readRules reads the layouts and variants of XKB's list: sections "! layout" and
// "! variant", in the latter lines VARIANT LAYOUT: DESCRIPTION.
func readRules(text string) (layouts map[string]bool, variants map[string]map[string]bool) {
	layouts, variants = map[string]bool{}, map[string]map[string]bool{}
	section := ""
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		switch {
		case len(fields) < 2:
		case fields[0] == "!":
			section = fields[1]
		case section == "layout":
			layouts[fields[0]] = true
		case section == "variant":
			of := strings.TrimSuffix(fields[1], ":")
			if variants[of] == nil {
				variants[of] = map[string]bool{}
			}
			variants[of][fields[0]] = true
		}
	}
	return layouts, variants
}

func keys(m map[string]bool) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	return out
}
