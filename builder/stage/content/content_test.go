package content

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treetest"
)

// line7 is where everything is written.
var line7 = hcl.Range{Filename: "flavours/own.hcl", Start: hcl.Pos{Line: 7, Column: 1, Byte: 80}, End: hcl.Pos{Line: 7, Column: 5, Byte: 84}}

// finderIn looks things up in a tree with these files. Everything is written at
// line7.
func finderIn(t *testing.T, what string, files ...string) *finder {
	t.Helper()
	tree := treetest.Lay(t, t.TempDir(), files...)
	job := &task.Task{Tree: tree, Log: &bytes.Buffer{}, Step: &plan.Step{ID: "x", Hints: task.EncodeHints(hints{Places: map[string]hcl.Range{what: line7}})}}
	f, err := newFinder(job)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func wantFault(t *testing.T, err error, want string) {
	t.Helper()
	var found *diag.Found
	if !errors.As(err, &found) || found.At != line7 || found.Summary == "" || !strings.Contains(found.Detail, want) {
		t.Errorf("got %v, want %q at its place", err, want)
	}
}

func TestTimezone(t *testing.T) {
	ctx := context.Background()
	files := []string{"usr/share/zoneinfo/Europe/Berlin", "usr/share/zoneinfo/UTC", "usr/share/zoneinfo/posix/Europe/Berln", "etc/localtime -> /usr/share/zoneinfo/UTC"}
	// zones lays a tree with the files, of which two are zones.
	zones := func(files ...string) *finder {
		f := finderIn(t, "timezone", files...)
		for _, zone := range []string{"Europe/Berlin", "UTC"} {
			treetest.Write(t, filepath.Join(f.t.Tree, zoneDir, zone), "TZif2 and so on")
		}
		return f
	}
	f := zones(append(files, "etc/timezone")...)
	if err := f.timezone(ctx, "Europe/Berlin"); err != nil {
		t.Fatal(err)
	}
	if got, err := os.Readlink(filepath.Join(f.t.Tree, "etc/localtime")); err != nil || got != "../usr/share/zoneinfo/Europe/Berlin" {
		t.Errorf("/etc/localtime leads to %q, error %v", got, err)
	}
	if got := treetest.Content(t, filepath.Join(f.t.Tree, "etc/timezone")); got != "Europe/Berlin\n" {
		t.Errorf("/etc/timezone is %q", got)
	}
	wantFault(t, f.timezone(ctx, "Europe/Berln"), `Did you mean "Europe/Berlin"?`)
	wantFault(t, f.timezone(ctx, "Europe"), `There is no time zone "Europe"`)
	treetest.Write(t, filepath.Join(f.t.Tree, zoneDir, "leapseconds"), "# Allowance for leap seconds\n")
	wantFault(t, f.timezone(ctx, "leapseconds"), `There is no time zone "leapseconds"`)
	if got, err := os.Readlink(filepath.Join(f.t.Tree, "etc/localtime")); err != nil || got != "../usr/share/zoneinfo/Europe/Berlin" {
		t.Errorf("a fault has changed /etc/localtime to %q, error %v", got, err)
	}
	wantFault(t, finderIn(t, "timezone", "etc/").timezone(ctx, "UTC"), "tzdata")
	plain := zones(files...)
	if err := plain.timezone(ctx, "UTC"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(filepath.Join(plain.t.Tree, "etc/timezone")); err == nil {
		t.Error("/etc/timezone was made where there was none")
	}
}

func TestUnknownLocale(t *testing.T) {
	ctx := context.Background()
	f := finderIn(t, "locale", "usr/share/i18n/locales/de_DE", "usr/share/i18n/locales/POSIX")
	wantFault(t, f.locale(ctx, "de_ED.UTF-8"), `Did you mean "de_DE.UTF-8"?`)
	wantFault(t, finderIn(t, "locale", "etc/").locale(ctx, "de_DE.UTF-8"), "The package locales is missing")
	for _, builtin := range []string{"C", "C.UTF-8", "POSIX"} {
		if err := finderIn(t, "locale", "etc/").locale(ctx, builtin); err != nil {
			t.Errorf("%s: %v", builtin, err)
		}
	}
}

const layoutsList = `! model
  pc105           Generic 105-key PC

! layout
  us              English (US)
  de              German

! variant
  nodeadkeys      de: German (no dead keys)
  intl            us: English (US, intl.)

! option
  grp             Switching to another layout
`

func TestUnknownKeymap(t *testing.T) {
	ctx := context.Background()
	f := finderIn(t, "keymap", "etc/")
	wantFault(t, f.keymap(ctx, "de"), "console-setup is missing")
	treetest.Write(t, filepath.Join(f.t.Tree, "usr/share/X11/xkb/rules/base.lst"), layoutsList)
	wantFault(t, f.keymap(ctx, "pc105"), `There is no layout "pc105"`)
	wantFault(t, f.keymap(ctx, "us,dee"), `There is no layout "dee" of keyboards. Did you mean "de"?`)
	wantFault(t, f.keymap(ctx, "us(nodeadkeys)"), `The layout "us" of keyboards has no variant "nodeadkeys"`)
	wantFault(t, f.keymap(ctx, "de(nodeadkey)"), `Did you mean "nodeadkeys"?`)
	// What is right gets as far as the program that this tree does not have.
	wantFault(t, f.keymap(ctx, "us(intl),de"), "no setupcon")
}

func TestUnits(t *testing.T) {
	f := finderIn(t, "unit x", "usr/lib/systemd/system/nginx.service", "etc/systemd/system/own.timer -> /somewhere", "etc/init.d/old",
		"usr/lib/systemd/system/nginx.service.d/a.conf")
	treetest.Write(t, filepath.Join(f.t.Tree, "usr/lib/systemd/system/getty@.service"), "")
	for name, want := range map[string]bool{
		"nginx.service": true, "own.timer": true, "getty@tty2.service": true, "getty@.service": true, "old.service": true,
		"old.timer": false, "own.service": false, "foo@bar.service": false, "nginx.socket": false,
	} {
		if got := f.hasUnit(name); got != want {
			t.Errorf("the tree has %s: %v", name, got)
		}
	}
	f.places = map[string]hcl.Range{"unit nginxx.service": line7, "unit owm.timer": line7}
	var found diag.Findings
	if err := f.units(context.Background(), []unit{{"nginxx.service", "mask"}, {"owm.timer", "enable"}}, &found); err != nil {
		t.Fatal(err)
	}
	wantFault(t, found.Err(), `Did you mean "own.timer"?`) // units are enabled before others are masked
	if err := found.Err(); !strings.Contains(err.Error(), `Did you mean "nginx.service"?`) {
		t.Errorf("only one unit is reported: %v", err)
	}
}

func TestUnknownAccounts(t *testing.T) {
	ctx := context.Background()
	f := finderIn(t, "", "etc/")
	treetest.Write(t, filepath.Join(f.t.Tree, "etc/passwd"), "root:x:0:0::/root:/bin/sh\nwww:x:33:33::/:/bin/sh\n")
	treetest.Write(t, filepath.Join(f.t.Tree, "etc/group"), "root:x:0:\nwww:x:33:\nvideo:x:44:\n")
	at := func(what string) { f.places = map[string]hcl.Range{what: line7} }
	at("group video")
	wantFault(t, f.makeGroup(ctx, group{Name: "video"}), `There is a group "video" already`)
	at("user www")
	wantFault(t, f.makeUser(ctx, user{Name: "www"}), `"www" already`)
	at("user video")
	wantFault(t, f.makeUser(ctx, user{Name: "video"}), `There is a group "video" already`)
	at("member ada vidoe")
	wantFault(t, f.makeUser(ctx, user{Name: "ada", Groups: []string{"video", "vidoe"}}), `Did you mean "video"?`)
	at("user ada")
	wantFault(t, f.home(ctx, home{Name: "ada", Shell: "/bin/zsh"}), "There is no shell /bin/zsh")
	treetest.Write(t, filepath.Join(f.t.Tree, "bin/sh"), "")
	wantFault(t, f.home(ctx, home{Name: "ada", Shell: "/bin/sh", Sudo: true}), "There is no sudo")
}

func TestMembersLast(t *testing.T) {
	for users, want := range map[string]string{
		"a:b b:c c: d:": "c b a d",
		"a: b:a c:":     "a b c",
		"a:b b:a c:":    "c a b",
		"a:video b:":    "a b",
	} {
		var list []user
		for word := range strings.FieldsSeq(users) {
			name, group, _ := strings.Cut(word, ":")
			list = append(list, user{Name: name, Groups: strings.Fields(group)})
		}
		var got []string
		for _, u := range membersLast(list) {
			got = append(got, u.Name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("of %s the order is %v, want %s", users, got, want)
		}
	}
}
