package compose

import (
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/config/configtest"
)

// described lists wishes as lines of pkg.include name them.
func described(ws []Want) string {
	var out []string
	for _, w := range ws {
		text := w.String()
		if w.Recommends {
			text += recommending
		}
		out = append(out, text)
	}
	return strings.Join(out, " ")
}

func TestRecommending(t *testing.T) {
	for text, want := range map[string]string{
		"gdb+recommends":             "gdb+recommends",
		"gdb=1.2+dfsg-1+recommends":  "gdb=1.2+dfsg-1+recommends",
		"libc6:i386+recommends":      "libc6:i386+recommends",
		"$extra+recommends [docs]":   "vim+recommends zsh+recommends",
		"g+++recommends":             "g+++recommends",
		"libstdc++6":                 "libstdc++6",
		"gdb+recommends [!docs]":     "",
		"x-recommends":               "x-recommends",
		"gdb=1.2+recommends-of-mine": "gdb=1.2+recommends-of-mine",
	} {
		ws, diags := wants(configtest.Lines("pkg.include", text), lineScope)
		if diags.HasErrors() {
			t.Errorf("%q: %v", text, diags)
		}
		if got := described(ws); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	_, diags := wants(configtest.Lines("pkg.include", "gdb+recomends", "gdb+Recommends", "!gdb", "+recommends", "gdb+recommends/sid", "gdb+recomends/sid"), lineScope)
	wantFaults(t, diags, `pkg.include:1: Invalid package name|Did you mean "gdb+recommends"?`, `pkg.include:2: |Did you mean "gdb+recommends"?`,
		`pkg.include:3: Forbidden package: "!gdb" forbids a package. That belongs in pkg.exclude, or in exclude_packages of a flavour.`, `pkg.include:4: Invalid package name`,
		`pkg.include:5: Invalid package name|Did you mean "gdb/sid+recommends"?`, `pkg.include:6: Invalid package name|Did you mean "gdb/sid+recommends"?`)
}

func TestExcludes(t *testing.T) {
	excluded, forbidden, diags := excludes(configtest.Lines("pkg.exclude", "gdb", "!vim", "!$extra [docs]", "!nano [!docs]", "!libc6:i386", "$none"), lineScope)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if got, want := described(excluded), "gdb vim vim zsh libc6:i386"; got != want {
		t.Errorf("excluded %q, want %q", got, want)
	}
	if got, want := described(forbidden), "vim vim zsh libc6:i386"; got != want {
		t.Errorf("forbidden %q, want %q", got, want)
	}
	_, _, diags = excludes(configtest.Lines("pkg.exclude", "gdb=1", "!gdb=1", "gdb+recommends", "!!gdb"), lineScope)
	wantFaults(t, diags, "pkg.exclude:1: Version in an exclude", "pkg.exclude:2: Version in an exclude",
		`pkg.exclude:3: Recommended packages of an excluded package: A package that is excluded recommends nothing; write "gdb".`, `pkg.exclude:4: Invalid package name: "!gdb"`)
}

func TestRecommendsAndForbidden(t *testing.T) {
	p := configtest.Project(t, `
base element
desk element +base
sysext-more extension`)
	lines := func(texts ...string) []config.Line { return configtest.Lines("pkg", texts...) }
	p.Features["base"].Packages = lines("bash", "less", "vim")
	p.Features["base"].ExcludePackages = lines("!mawk")
	p.Features["desk"].Packages, p.Features["desk"].Recommends = lines("less", "gnome"), true
	p.Features["desk"].ExcludePackages = lines("!vim", "!mawk")
	p.Features["sysext-more"].Packages = lines("tool+recommends")
	p.Features["sysext-more"].ExcludePackages = lines("!gdb")
	s, diags := Resolve(p, flavour("desk", "sysext-more"))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if got, want := described(s.Packages), "bash less+recommends gnome+recommends"; got != want {
		t.Errorf("the system wants %q, not %q", got, want)
	}
	if got, want := described(s.Forbidden), "mawk vim"; got != want {
		t.Errorf("the system forbids %q, not %q", got, want)
	}
	if got, want := described(s.Extensions[0].Packages)+"; "+described(s.Extensions[0].Forbidden), "tool+recommends; gdb"; got != want {
		t.Errorf("the extension wants and forbids %q, not %q", got, want)
	}
}
