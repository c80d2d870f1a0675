package vm

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestParseMessage(t *testing.T) {
	tests := []struct {
		line string
		want message
		ok   bool
	}{
		{"ready 4f5c\n", message{kind: "ready", boot: "4f5c"}, true},
		{"done 3 0 aGVsbG8K\n", message{kind: "done", id: 3, output: "hello\n"}, true},
		{"done 3 124 \n", message{kind: "done", id: 3, status: 124}, true},
		{"done 3 0 aGVsbG8K\r\n", message{kind: "done", id: 3, output: "hello\n"}, true},
		{"\n", message{}, false},
		{"ready\n", message{}, false},
		{"ready \n", message{}, false},
		{"done 3 0\n", message{}, false},
		{"done x 0 aGVsbG8K\n", message{}, false},
		{"done 3 y aGVsbG8K\n", message{}, false},
		{"done 3 0 aGVsb\n", message{}, false}, // cut off
		{"ne 3 0 aGVsbG8K\n", message{}, false},
	}
	for _, tt := range tests {
		if got, ok := parseMessage(tt.line); got != tt.want || ok != tt.ok {
			t.Errorf("parseMessage(%q) = %+v, %v", tt.line, got, ok)
		}
	}
}

func FuzzParseMessage(f *testing.F) {
	f.Add("ready 4f5c\n")
	f.Add("done 3 124 aGVsbG8K\n")
	f.Fuzz(func(t *testing.T, line string) {
		m, ok := parseMessage(line)
		if !ok {
			if m != (message{}) {
				t.Errorf("%q is not a message, but gives %+v", line, m)
			}
			return
		}
		again := "ready " + m.boot
		if m.kind == "done" {
			again = fmt.Sprintf("done %d %d %s", m.id, m.status, base64.StdEncoding.EncodeToString([]byte(m.output)))
		}
		if m2, ok := parseMessage(again); !ok || m2 != m {
			t.Errorf("%q gives %+v, written again %q gives %+v", line, m, again, m2)
		}
	})
}

func TestRunLine(t *testing.T) {
	script := "set -e\necho 'one two'\n"
	line := runLine(7, 90*time.Second, script)
	f := strings.Split(line, " ")
	if len(f) != 4 || strings.Join(f[:3], " ") != "run 7 90" || !strings.HasSuffix(line, "\n") || strings.Count(line, "\n") != 1 {
		t.Fatalf("runLine gives %q", line)
	}
	if got, err := base64.StdEncoding.DecodeString(strings.TrimSpace(f[3])); err != nil || string(got) != script {
		t.Errorf("the script arrives as %q, %v", got, err)
	}
	// timeout(1) takes 0 for no limit.
	if line := runLine(7, time.Millisecond, ""); !strings.HasPrefix(line, "run 7 1 ") {
		t.Errorf("a short limit becomes %q", line)
	}
}

func TestTestScript(t *testing.T) {
	got := Tests{Feature: "base", Env: map[string]string{"PARAM_B": "it's", "PARAM_A": ""}}.script("a test")
	want := "cd /run/treewright/base/test || exit\nexport PARAM_A=''\nexport PARAM_B='it'\\''s'\nexec './a test'\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
