package words

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestExpand(t *testing.T) {
	lines := []string{
		"systemd",
		"linux-image-$arch",
		"# a comment",
		"vim # and one after it",
		"$(if [ $arch = amd64 ]; then echo syslinux; fi)",
		"$(if [ $arch = arm64 ]; then echo u-boot; fi)",
		"lib{a,b}-dev",
		`"quoted"`,
		"two words",
		"no-*-globs",
		"c#sharp",
	}
	want := [][]string{
		{"systemd"}, {"linux-image-amd64"}, {}, {"vim"}, {"syslinux"}, {}, {"liba-dev", "libb-dev"}, {"quoted"}, {"two", "words"}, {"no-*-globs"}, {"c#sharp"},
	}
	got, err := Expand(t.Context(), "amd64", lines)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestExpandWordsNamesTheLine(t *testing.T) {
	for line, want := range map[string]string{
		"lib$unset":  "unset: unbound variable",
		"$(":         "",
		"a > /tmp/x": "restricted",
	} {
		_, err := Expand(t.Context(), "amd64", []string{"first", line, "last"})
		var bad *Error
		if !errors.As(err, &bad) {
			t.Errorf("%q: got %v, want a fault", line, err)
			continue
		}
		if bad.Line != 1 || !strings.Contains(bad.Message, want) {
			t.Errorf("%q: got line %d, %q", line, bad.Line, bad.Message)
		}
	}
}

// TestPlainWords: what is read without a shell is what a shell makes of it.
func TestPlainWords(t *testing.T) {
	for line, plain := range map[string]bool{
		"systemd": true, "linux-image-$arch": true, "linux-image-${arch}-x": true, "# a comment $(x": true, "vim # and one after it": true, "": true, "  ": true,
		"two  words": true, "libc6:i386=2.43-7+b1": true, "c++": true, "a_b": true, "vim\t#x": true, "  vim": true, "a -b": true,
		"a{b,c}": true, "{a,b{c,d}}{,-${arch}}": true, "$arch{a,b}": false, "{a,$}arch": false, "{1..3}": false, "{a,b": false, "{a}": false, "{a,b}}": false, "{00},}": false, "{x{a,b}}": false, "}": true, `"{a,b}"`: true, `{"a,b"}`: false, "a*": true, "[ab]": true, `"q"`: true, `a"b  $arch"c`: true, `'$arch'`: true,
		`""`: true, "a#b": true, "a\\b": true, `a\{b,c}`: false, "!x": true, "a=b": true, `"-n" x`: false, "{-n,x}": false, "{,} -n": false, `\${arch},}`: false,
		"-n x": false, "$archive": false, "$arch_x": false, "${arch:-x}": false, "~": false, "1.0~rc1": false, `$'a\n'`: false, `$"a"`: false, `a\`: true,
		"$(x)": false, "`x`": false, "$((1+1))": false, "<(x)": false, "@(a|b)": false, "a;b": false, "a\rb": false, "a&": false, "<x": false, "(": false, "a | b": false,
		`"a`: false, "ä": false,
	} {
		words, ok := Plain("arm64", line)
		if ok != plain {
			t.Errorf("%q needs no shell: %v, want %v", line, ok, plain)
		}
		if !ok {
			continue
		}
		compareWithShell(t, "arm64", line, words)
	}
}

// FuzzPlain: a line that needs no shell comes to what a shell makes of it.
func FuzzPlain(f *testing.F) {
	for _, line := range []string{"linux-image-$arch # x", "lib{a,b-c,${arch}}-dev", "{a..c,d}x{,}", `"{"a,b}{a,"}"}`, "a{b,{c,d},}e}", `\a'b'"c\"\$"`, "{x,y{,z}}{,}", "[a-z]*?", "a={b,c}:{}"} {
		f.Add("amd64", line)
	}
	f.Fuzz(func(t *testing.T, arch, line string) {
		if strings.ContainsFunc(arch, ownRules) {
			return // not an architecture
		}
		if words, ok := Plain(arch, line); ok {
			compareWithShell(t, arch, line, words)
		}
	})
}

func compareWithShell(t *testing.T, arch, line string, words []string) {
	t.Helper()
	// The second line makes the shell read both.
	got, err := Expand(t.Context(), arch, []string{line, "$(:)"})
	if err != nil {
		t.Fatalf("%q comes to %q, and a shell says %v", line, words, err)
	}
	if strings.Join(got[0], "|") != strings.Join(words, "|") {
		t.Errorf("%q comes to %q, in a shell to %q", line, words, got[0])
	}
}

// TestLinesReachNothing has lines that want to reach this machine.
func TestLinesReachNothing(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("of-the-host"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SECRET_OF_THE_HOST", "of-the-host")
	lines := []string{
		"a$(<" + secret + ")",
		"b$(PATH=/usr/bin:/bin; cat " + secret + ")",
		"c$(PATH=/usr/bin:/bin; touch " + dir + "/made /usr/made /etc/made; ls /home /root /boot /srv /var/lib /etc/shadow)",
		"d$(PATH=/usr/bin:/bin; env | grep HOST)",
		"e$(PATH=/usr/bin:/bin; cat /proc/[0-9]*/environ /proc/1/root" + secret + ")",
		"f$(PATH=/usr/bin:/bin; cat </dev/tcp/127.0.0.1/22; ls /sys/class/net)",
	}
	for _, line := range lines {
		got, err := Expand(t.Context(), "amd64", []string{line + " || true"})
		var bad *Error
		if errors.As(err, &bad) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if joined := strings.Join(got[0], " "); len(joined) > 1 {
			t.Errorf("%s: %q", line, joined)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("the directory holds %v, error %v", entries, err)
	}
	for _, made := range []string{"/usr/made", "/etc/made"} {
		if os.Remove(made) == nil {
			t.Errorf("%s was made", made)
		}
	}
}
