package format

import (
	"path"
	"strings"
	"testing"
)

func TestParseTmpfiles(t *testing.T) {
	for line, want := range map[string]TmpfilesRule{
		"d /var/lib/x 0755 root root 10d":                    {Type: 'd', Path: "/var/lib/x", Mode: "0755", User: "root", Group: "root", Age: "10d"},
		"\tf^\t/root/.ssh/keys :0600 root :root - ssh.key  ": {Type: 'f', Modifiers: "^", Path: "/root/.ssh/keys", Mode: ":0600", User: "root", Group: ":root", Argument: "ssh.key"},
		`L+! "/var/a b" - - - - x y\x20`:                     {Type: 'L', Modifiers: "+!", Path: "/var/a b", Argument: "x y "},
		`C '/var/it'\''s/'`:                                  {Type: 'C', Path: "/var/it's"},
		`w /var/a\x0ab//c - - - - %%i\n%S`:                   {Type: 'w', Path: "/var/a\nb/c", Argument: "%i\n/var/lib"},
		`d %S/x/%m/../y`:                                     {Type: 'd', Path: "/var/lib/x/y", Open: true},
		`d /u\u00e9\351\s`:                                   {Type: 'd', Path: "/ué\351 "},
		`f~ /x - - - - JXM=`:                                 {Type: 'f', Modifiers: "~", Path: "/x", Argument: "JXM="},
	} {
		got, err := ParseTmpfiles(line)
		if err != nil || got == nil {
			t.Errorf("%q: %v", line, err)
			continue
		}
		got.pathAt = [2]int{}
		if *got != want {
			t.Errorf("%q is %+v, want %+v", line, *got, want)
		}
	}
	for _, line := range []string{"", "  ", "# d /x", "  #"} {
		if got, err := ParseTmpfiles(line); got != nil || err != nil {
			t.Errorf("%q is %v, %v", line, got, err)
		}
	}
	for _, line := range []string{"d", "d x", `d "/x`, `d /x\`, `d /x\x4`, `d /x\x00`, `d /\q`, `d /\777`, `d /\Uffffffff`, `f /x - - - - \x`} {
		if got, err := ParseTmpfiles(line); got != nil && err == nil {
			t.Errorf("%q is taken: %+v", line, got)
		}
	}
}

func TestMoveTmpfiles(t *testing.T) {
	move := func(name string) string {
		if rest, ok := strings.CutPrefix(name, "/root"); ok && (rest == "" || rest[0] == '/') {
			return "/var/roothome" + rest
		}
		return name
	}
	for line, want := range map[string]string{
		"# d /root":                   "# d /root",
		"d  /root/  0755 root root -": "d  /var/roothome  0755 root root -",
		`f^ "/root/a b" - - - - "x"`:  `f^ /var/roothome/a\x20b - - - - "x"`,
		`d /ro\x6ft/%m/%%`:            `d /var/roothome/%m/%%`,
		"d /rootless":                 "d /rootless",
		"d /var/x - - - - /root/y":    "d /var/x - - - - /root/y",
		`d "/root`:                    `d "/root`,
		"q /root":                     "q /var/roothome",
	} {
		if got := MoveTmpfiles(line, move); got != want {
			t.Errorf("%q becomes %q, want %q", line, got, want)
		}
	}
}

// Whatever a name is, it makes one rule, about that name.
func FuzzTmpfiles(f *testing.F) {
	for _, s := range []string{"a", `x"y`, "it's", "a\nd /etc", `back\slash`, "%m", " blank ", "\t", "\xff\x80", ".hidden", "#", "-", "ü", "a\rb", "*?[x]", "\x1b[0m"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, name, argument string) {
		if strings.ContainsRune(name+argument, 0) {
			return // no file name has a NUL byte in it
		}
		line := "L /var/" + EscapeTmpfiles(name) + " - - - - " + EscapeTmpfiles(argument)
		if strings.ContainsAny(line, "\n\r\"'") {
			t.Fatalf("%q is not one plain line", line)
		}
		r, err := ParseTmpfiles(line)
		if err != nil || r == nil {
			t.Fatalf("%q: %v", line, err)
		}
		if want := path.Clean("/var/" + name); r.Path != want || r.Argument != argument || r.Open {
			t.Errorf("%q is about %q -> %q (%v), want %q -> %q", line, r.Path, r.Argument, r.Open, want, argument)
		}
		ParseTmpfiles(name) //nolint // must not panic
		MoveTmpfiles(name, func(s string) string { return s + "x" })
	})
}
