package compose

import (
	"testing"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/config/configtest"
)

// TestRemote: http gets a warning, unless it does not leave the machine.
func TestRemote(t *testing.T) {
	p := configtest.Project(t, "base platform\nrepo element +base stage=commit")
	p.Features["repo"].Parameters = []config.Parameter{{Name: "remote_url", Type: config.String}}
	for url, want := range map[string]string{
		"":                             "",
		"https://updates.example/repo": "",
		"file:///srv/repo":             "",
		"http://10.0.2.2:8080/repo":    "",
		"http://127.0.0.1/repo":        "",
		"http://[::1]:80/repo":         "",
		"http://localhost/repo":        "",
		"http://192.0.2.10:8080/repo":  "Updates without authentication: Machines install what the server at http://192.0.2.10:8080/repo sends",
		"http://u:pw@a.example/repo":   "Updates without authentication: Machines install what the server at http://u:xxxxx@a.example/repo",
		"http://10.0.2.20/repo":        "Updates without authentication",
		"http://localhost.a.example/":  "Updates without authentication",
	} {
		f := flavour("repo")
		f.Settings = []config.Setting{{Feature: "repo", Name: "remote_url", Value: url, Range: configtest.Line("flavour", 7)}}
		_, diags := Resolve(p, f)
		if want == "" {
			wantFaults(t, diags)
			continue
		}
		wantFaults(t, diags, "flavour:7: "+want)
		if diags.HasErrors() {
			t.Errorf("%q: it is an error", url)
		}
	}
	_, diags := Resolve(p, flavour("base"))
	wantFaults(t, diags)
}

// TestListens: conditions and variables count, extensions have their own, and
// what is not a socket is an error.
func TestListens(t *testing.T) {
	p := kitchen(t)
	p.Features["base"].Listens = configtest.Lines("base/info.yaml", "udp/68", "tcp/22", "tcp/5355 [kernel=generic]", "tcp/$free_mib", "udp/68")
	p.Features["debug"] = &config.Feature{Name: "debug", Type: config.Extension, Listens: configtest.Lines("debug/info.yaml", "raw/58")}
	s, diags := Resolve(p, flavour("repo", "debug"))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for what, c := range map[string]struct{ got, want []string }{
		"system":    {s.Listens, []string{"tcp/22", "tcp/512", "udp/68"}},
		"extension": {s.Extensions[0].Listens, []string{"raw/58"}},
	} {
		if len(c.got) != len(c.want) {
			t.Fatalf("%s: %q, not %q", what, c.got, c.want)
		}
		for i := range c.want {
			if c.got[i] != c.want[i] {
				t.Errorf("%s: %q, not %q", what, c.got, c.want)
			}
		}
	}

	p.Features["unused"].Listens = configtest.Lines("unused/info.yaml", "tcp/ssh", "tcp/65536", "udp/0", "raw/256", "tcp/22 udp/22", "22 []", "tcp/$nope", "vsock/22", "tcp/022")
	wantFaults(t, Check(p, nil), `unused/info.yaml:1: Invalid socket: "tcp/ssh" is not a socket that a feature can listen on. Write tcp/PORT`,
		"unused/info.yaml:2: Invalid socket", "unused/info.yaml:3: Invalid socket", "unused/info.yaml:4: Invalid socket",
		"unused/info.yaml:5: More than one socket on a line", "unused/info.yaml:6: Empty condition: Write between the brackets when the socket is wanted",
		`unused/info.yaml:7: Unknown variable: There is no parameter "nope" here.`, "unused/info.yaml:8: Invalid socket", "unused/info.yaml:9: Invalid socket")
}
