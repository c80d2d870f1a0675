package config

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

func TestStatLines(t *testing.T) {
	load := func(text string) string {
		_, diags := Load(fstest.MapFS{
			"features/f/info.yaml":         {Data: []byte("description: x\ntype: element\n")},
			"features/f/file.include.stat": {Data: []byte("# USER GROUP MODE PATTERN\n" + text + "\n")},
		}, Options{})
		var all []string
		for _, d := range diags {
			all = append(all, fmt.Sprintf("%s:%d: %s", d.Subject.Filename, d.Subject.Start.Line, d.Summary))
		}
		return strings.Join(all, "\n")
	}
	for _, mode := range []string{"0", "644", "0644", "7777", "00755", "u=rw,go=r", "a+X", "+x", "-x", "u+s", "g=u", "=", "+0111", "ug+rw-x,o=", "+t"} {
		if got := load("root root " + mode + " /etc/x /usr/**"); got != "" {
			t.Errorf("%s: %s", mode, got)
		}
	}
	for line, want := range map[string]string{
		"root root 0644": "Invalid line", "root": "Invalid line", "root root 0888 /x": "Invalid mode", "root root 17777 /x": "Invalid mode",
		"root root rw /x": "Invalid mode", "root root z+x /x": "Invalid mode", "root root u=rw, /x": "Invalid mode",
		"root root 0644 etc/x": "Invalid pattern", `root root 0644 /a "/b"`: "Invalid pattern", "root root /etc/x 0644": "Invalid mode",
	} {
		if got := load(line); !strings.HasPrefix(got, "features/f/file.include.stat:2: "+want) {
			t.Errorf("%s: %q, want %s", line, got, want)
		}
	}
}
