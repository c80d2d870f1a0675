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
		"vim # and one behind",
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
		"systemd": true, "linux-image-$arch": true, "linux-image-${arch}-x": true, "# a comment $(x": true, "vim # and one behind": true, "": true, "  ": true,
		"two  words": true, "libc6:i386=2.43-7+b1": true, "c++": true, "a_b": true, "vim\t#x": true, "  vim": true, "a -b": true,
		"-n x": false, "$archive": false, "$arch_x": false, "${arch:-x}": false, "a{b,c}": false, "~": false, "1.0~rc1": false, "a*": false,
		`"q"`: false, "$(x)": false, "`x`": false, "a;b": false, "a#b": false, "a\\b": false, "a\rb": false, "a&": false, "!x": false, "<x": false, "(": false,
	} {
		words, ok := Plain("arm64", line)
		if ok != plain {
			t.Errorf("%q needs no shell: %v, want %v", line, ok, plain)
		}
		if !ok {
			continue
		}
		got, err := Expand(t.Context(), "arm64", []string{line, `"for a shell"`})
		if err != nil {
			t.Fatal(err)
		}
		if strings.Join(got[0], "|") != strings.Join(words, "|") {
			t.Errorf("%q comes to %q, in a shell to %q", line, words, got[0])
		}
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
