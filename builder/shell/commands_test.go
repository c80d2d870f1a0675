package shell

import (
	"fmt"
	"strings"
	"testing"
)

func TestCommands(t *testing.T) {
	src := "#!/bin/sh\nset -e\n# curl x\nif ! /usr/bin/curl -o '/x y' \"$url\"; then\n  apt-get install -y \"vim\" <<EOF\nwget no\nEOF\nfi\n$tool run\nx=$(git clone https://e/x)\n"
	var got []string
	for _, c := range Commands([]byte(src)) {
		got = append(got, fmt.Sprintf("%s %q %d", c.Name, c.Args, 1+strings.Count(src[:c.From], "\n")))
	}
	want := `set ["-e"] 2
curl ["-o" "/x y" ""] 4
apt-get ["install" "-y" "vim"] 5
git ["clone" "https://e/x"] 10`
	if strings.Join(got, "\n") != want {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	if got := Commands([]byte("if true; then\ncurl x\n")); got != nil {
		t.Errorf("a script that cannot be parsed has %v", got)
	}
}

// TestUnknownToDash: what bash has and dash does not.
func TestUnknownToDash(t *testing.T) {
	for src, want := range map[string]string{
		"if [[ -e /x ]]; then :; fi":       "the command [[",
		"[ a == b ]":                       "== in the command [, where sh has =",
		"source /etc/os-release":           "the command source",
		"x=1; (cd /; pushd /tmp)":          "the command pushd",
		"[ a = b ] && . /etc/os-release":   "",
		"local x=1; echo '[[ source'":      "",
		"bash -c 'source /etc/os-release'": "",
	} {
		fault := Syntax([]byte("#!/bin/sh\n"+src+"\n"), "sh")
		switch {
		case want == "" && fault != nil:
			t.Errorf("%q: %+v", src, fault)
		case want != "" && (fault == nil || fault.Text != want || !fault.Dialect):
			t.Errorf("%q: %+v, want %q", src, fault, want)
		}
		if fault := Syntax([]byte(src+"\n"), "bash"); fault != nil {
			t.Errorf("for bash, %q: %+v", src, fault)
		}
	}
}
