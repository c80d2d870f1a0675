package lock

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
)

// made is a package, "NAME VERSION ARCH".
func made(text string) distro.Archived {
	f := strings.Fields(text)
	p := distro.Archived{
		Package: distro.Package{Name: f[0], Version: f[1], Arch: f[2]}, Source: "main", Suite: "testing",
		Filename: "pool/" + f[0] + "_" + f[1] + ".deb", Size: 1000, SHA256: fmt.Sprintf("%064x", []byte(text))[:64],
	}
	p.Stanza = fmt.Sprintf("Package: %s\nSource: %s (%s)\nVersion: %s\nArchitecture: %s\nDepends: libc6 (>= 2), a | b\nDescription: <a> & b\n more\nFilename: %s\nSize: %d\nSHA256: %s\n",
		p.Name, p.Name, p.Version, p.Version, p.Arch, p.Filename, p.Size, p.SHA256)
	return p
}

func closure(texts ...string) *distro.Closure {
	c := &distro.Closure{}
	for _, t := range texts {
		c.Packages = append(c.Packages, made(t))
	}
	return c
}

func wants(names ...string) []distro.Want {
	var out []distro.Want
	for _, n := range names {
		out = append(out, distro.Want{Name: n})
	}
	return out
}

// example is a lock with a list of each shape.
func example(t *testing.T) *File {
	t.Helper()
	w := NewWriter("a-flavour", "debian", "amd64")
	w.Source(Source{Name: "main", URL: "http://mirror", Suite: "testing", Components: []string{"main"}, Date: time.Date(2026, 10, 30, 8, 0, 0, 0, time.UTC), Release: strings.Repeat("1", 64)})
	w.Answer(Question{List: Tools + "commit", On: Bootstrap, Wants: wants("ostree")}, closure("apt 1 amd64", "ostree 2 amd64"))
	w.Answer(Question{List: Bootstrap}, closure("apt 1 amd64"))
	local := made("own 1 all")
	system := closure("apt 2 amd64", "jq 1 amd64", "jq 1 i386", "own 1 all")
	system.Missed = []string{"x | y"}
	w.Answer(Question{List: Rootfs, On: Bootstrap, Wants: []distro.Want{{Name: "jq", Recommends: true}, {Name: "nano", Forbidden: true}, {Name: "own", Version: "1", Local: &local}}}, system)
	f, err := w.File()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	written := example(t)
	text := written.Format()
	read, err := Parse("flavours/a-flavour.lock.json", "a-flavour", text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if again := read.Format(); string(again) != string(text) {
		t.Errorf("written again it is\n%s\nnot\n%s", again, text)
	}
	for _, l := range written.Lists {
		if got, want := read.Closure(l.Name), written.Closure(l.Name); !slices.Equal(got.Packages, want.Packages) || !slices.Equal(got.Missed, want.Missed) || string(got.Index()) != string(want.Index()) {
			t.Errorf("list %s is\n%v\nnot\n%v", l.Name, got, want)
		}
	}
	if names := []string{read.Lists[0].Name, read.Lists[1].Name, read.Lists[2].Name}; !slices.Equal(names, []string{Bootstrap, Rootfs, Tools + "commit"}) {
		t.Errorf("the lists are in the order %v", names)
	}
	if !read.List(Rootfs).Whole || read.List(Tools+"commit").Whole {
		t.Error("a list that replaces a package of the one below it has to be whole, and no other")
	}
	line := 1 + strings.Count(string(text[:strings.Index(string(text), `{"name":"own"`)]), "\n")
	if got, want := read.Places()[made("own 1 all").SHA256], fmt.Sprintf("flavours/a-flavour.lock.json:%d", line); got != want {
		t.Errorf("the place of a package is %s, not %s", got, want)
	}
}

func TestAnswer(t *testing.T) {
	f := example(t)
	local := made("own 1 all")
	asked := []distro.Want{{Name: "own", Version: "1", Local: &local}, {Name: "nano", Forbidden: true}, {Name: "jq", Recommends: true}}
	if c, stale := f.Answer(Question{List: Rootfs, On: Bootstrap, Wants: asked}); stale != nil || len(c.Packages) != 4 {
		t.Errorf("the same question in another order is answered by %v, %v", c, stale)
	}
	other := made("own 2 all")
	for name, q := range map[string]struct {
		Question
		want string
	}{
		"more":   {Question{List: Rootfs, On: Bootstrap, Wants: append(slices.Clone(asked), distro.Want{Name: "vim"})}, "rootfs: asked for, but not locked: vim"},
		"fewer":  {Question{List: Rootfs, On: Bootstrap, Wants: asked[:2]}, "rootfs: locked, but not asked for any more: jq +recommends"},
		"below":  {Question{List: Rootfs, On: Seed, Wants: asked}, "rootfs: it is installed on another list, or comes from another archive"},
		"no":     {Question{List: Extension + "debug", Wants: wants("gdb")}, "extension/debug: the lock does not have this list"},
		"a file": {Question{List: Rootfs, On: Bootstrap, Wants: []distro.Want{{Name: "own", Version: "1", Local: &other}, asked[1], asked[2]}}, "rootfs: asked for, but not locked: own=1 sha256:" + other.SHA256 + "; locked, but not asked for any more: own=1 sha256:" + local.SHA256},
	} {
		if c, stale := f.Answer(q.Question); c != nil || stale == nil || stale.String() != q.want {
			t.Errorf("%s: the answer is %v, %v; want %s", name, c, stale, q.want)
		}
	}
	if un := f.Unasked([]string{Bootstrap, Rootfs}); len(un) != 1 || un[0].String() != "tools/commit: the flavour does not ask for this list any more" {
		t.Errorf("not asked for: %v", un)
	}
}

// TestDatesStay: a package that stays in a lock keeps the date of the release file that it
// was chosen by, because snapshot archives may be asked by it.
func TestDatesStay(t *testing.T) {
	before := example(t)
	w := NewWriter("a-flavour", "debian", "amd64")
	old := before.Sources[0].Date
	w.Source(Source{Name: "main", URL: "http://mirror", Suite: "testing", Date: old.AddDate(0, 1, 0)})
	w.Answer(Question{List: Bootstrap}, closure("apt 1 amd64", "new 1 amd64"))
	after, err := w.File()
	if err != nil {
		t.Fatal(err)
	}
	after.Keep(before)
	if after, err = Parse("x.lock.json", "a-flavour", after.Format()); err != nil {
		t.Fatal(err)
	}
	for i, want := range []time.Time{old, old.AddDate(0, 1, 0)} {
		if got := after.DateOf(after.Packages[i]); !got.Equal(want) {
			t.Errorf("the date of %s is %s, not %s", after.Packages[i].Name, got, want)
		}
	}
}

func TestBadLocks(t *testing.T) {
	good := string(example(t).Format())
	sum := made("apt 1 amd64").SHA256
	for name, c := range map[string]struct{ old, new, want string }{
		"conflict":        {"  \"sources\"", "<<<<<<< HEAD\n  \"sources\"", "lock.json:6,1-13: Merge conflict in a lock file"},
		"newer":           {`"lock_version": 1`, `"lock_version": 2`, "lock.json:2,1-21: Lock file of a newer version"},
		"other flavour":   {`"flavour": "a-flavour"`, `"flavour": "b"`, "Lock of another flavour; This is the lock of the flavour \"b\""},
		"no sum":          {sum, "abc", "the SHA-256 of apt, \"abc\", is not one"},
		"outside":         {`"path":"pool/apt_1.deb"`, `"path":"../apt_1.deb"`, "is not one below a mirror"},
		"second sum":      {`Description: <a>`, `sha256: 12\nDescription: <a>`, "a second value for the field SHA256"},
		"two paragraphs":  {`Description: <a>`, `\nPackage: b\nDescription: <a>`, "its control has an empty line"},
		"unknown package": {"\"packages\":[\n      \"ostree\"", "\"packages\":[\n      \"ostre\"", "Unknown package; The list \"tools/commit\" has \"ostre\""},
		"unknown field":   {`"version":"2"`, `"version":"2","pinned":true`, `unknown field "pinned"`},
		"cut off":         {"\n  ]\n}\n", "", "Not a lock file"},
		"not JSON":        {`"family": "debian",`, `"family": debian,`, "lock.json:4,"},
		"size":            {`"size":1000`, `"size":-1`, "is -1 bytes"},
		"list twice":      {`"list":"rootfs"`, `"list":"bootstrap"`, "List that is there twice"},
		"unused":          {"\"packages\":[\n      \"ostree\"", "\"packages\":[", "Package of no list"},
	} {
		text := strings.Replace(good, c.old, c.new, 1)
		if text == good {
			t.Errorf("%s: %s is not in the lock", name, c.old)
			continue
		}
		_, err := Parse("lock.json", "a-flavour", []byte(text))
		var faults *diag.Faults
		if !errors.As(err, &faults) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: the error is %v, want %s", name, err, c.want)
		}
	}
}

func TestChanges(t *testing.T) {
	of := func(system *distro.Closure) *File {
		w := NewWriter("f", "debian", "amd64")
		w.Answer(Question{List: Bootstrap}, closure("apt 1 amd64"))
		w.Answer(Question{List: Rootfs, On: Bootstrap}, system)
		f, err := w.File()
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	after := closure("apt 1 amd64", "jq 2 amd64", "vim 1 amd64", "zlib 2 amd64")
	after.Packages[3].Suite = "trixie-security"
	var got []string
	for _, c := range Changes(of(closure("apt 1 amd64", "gone 1 all", "jq 1 amd64", "zlib 1 amd64")), of(after)) {
		got = append(got, strings.TrimSpace(fmt.Sprintln(c.Name, c.Before != nil, c.After != nil, c.Security(), c.Lists)))
	}
	want := []string{"zlib true true true [rootfs]", "gone true false false [rootfs]", "jq true true false [rootfs]", "vim false true false [rootfs]"}
	if !slices.Equal(got, want) {
		t.Errorf("the changes are %q, not %q", got, want)
	}
}
