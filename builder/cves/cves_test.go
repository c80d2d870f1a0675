package cves

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian"
)

func pkg(name, source, version string) distro.Described {
	return distro.Described{Package: distro.Package{Name: name, Version: version, Arch: "amd64"}, Source: source, SourceVersion: version}
}

var parts = []Part{
	{"small", []distro.Described{pkg("libssl3t64", "openssl", "3.5.1-1"), pkg("openssl", "openssl", "3.5.1-1"), pkg("bash", "bash", "5.2-1+b9")}},
	{"debug", []distro.Described{pkg("gdb", "gdb", "1:16~rc1-1")}},
}

var issues = []distro.Issue{
	{ID: "CVE-2026-0001", Source: "openssl", Fixed: "3.5.1-1+deb13u1", Urgency: "medium"},
	{ID: "CVE-2026-0002", Source: "openssl", Urgency: "not yet assigned", Remark: "postponed: Minor issue"},
	{ID: "CVE-2026-0003", Source: "openssl", Fixed: "0", Unaffected: true},
	{ID: "CVE-2026-0004", Source: "openssl", Fixed: "3.5.1-1~bpo1"}, // older than what is there
	{ID: "CVE-2026-0005", Source: "bash", Urgency: "unimportant"},
	{ID: "CVE-2026-0006", Source: "gdb", Undetermined: true, Urgency: "low"},
	{ID: "CVE-2026-0007", Source: "gdb", Fixed: "1:16-1", Urgency: "high"}, // "~" is older
	{ID: "CVE-2026-0008", Source: "gdb", Fixed: "17-1"},                    // the epoch counts
	{ID: "CVE-2026-0009", Source: "absent"},
}

func lines(found []Finding) string {
	var out []string
	for _, f := range found {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s %s %s %s", f.State, f.ID, f.Part, f.FixedIn, strings.Join(f.Packages, ","), f.Reason)))
	}
	return strings.Join(out, "\n")
}

func rules(t *testing.T, text string) []Rule {
	t.Helper()
	all, diags := ReadRules(RulesFile, []byte(text), []string{"small", "other"})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return all
}

func TestMatch(t *testing.T) {
	found, below, warnings := Match(parts, issues, debian.CompareVersions, "low", nil, "2026-06-01")
	want := `fixed CVE-2026-0007 debug 1:16-1 gdb
fixed CVE-2026-0001 small 3.5.1-1+deb13u1 libssl3t64,openssl
open CVE-2026-0002 small  libssl3t64,openssl
undetermined CVE-2026-0006 debug  gdb`
	if got := lines(found); got != want || below != 1 || len(warnings) != 0 {
		t.Errorf("%d below, warnings %v, got\n%s\nwant\n%s", below, warnings, got, want)
	}
	found, below, _ = Match(parts, issues, debian.CompareVersions, "high", nil, "2026-06-01")
	if got := lines(found); !strings.Contains(got, "0002") || strings.Contains(got, "0001") || below != 3 {
		t.Errorf("with urgency high: %d below,\n%s", below, got)
	}
	if found, below, _ = Match(parts, issues, debian.CompareVersions, "unimportant", nil, "2026-06-01"); len(found) != 5 || below != 0 {
		t.Errorf("with all urgencies: %d below,\n%s", below, lines(found))
	}
}

// TestIgnore: a rule holds for one fault of one package, until its last day, and is
// reported when it is over or has no use.
func TestIgnore(t *testing.T) {
	all := rules(t, `ignore:
  - {id: CVE-2026-0002, package: openssl, reason: not reachable}
  - {id: CVE-2026-0001, package: openssl, reason: was waiting, until: 2026-05-31}
  - {id: CVE-2026-0007, package: gdb, reason: last day, until: "2026-06-01"}
  - {id: CVE-2026-0009, package: absent, reason: not there}
  - {id: CVE-2026-0006, package: other, reason: another package}
  - {id: CVE-2026-0006, package: gdb, reason: of another flavour, flavours: [other]}
`)
	found, _, warnings := Match(parts, issues, debian.CompareVersions, "low", For(all, "small"), "2026-06-01")
	want := `fixed CVE-2026-0001 small 3.5.1-1+deb13u1 libssl3t64,openssl
undetermined CVE-2026-0006 debug  gdb
ignored CVE-2026-0007 debug 1:16-1 gdb last day
ignored CVE-2026-0002 small  libssl3t64,openssl not reachable`
	if got := lines(found); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	var at []string
	for _, w := range warnings {
		at = append(at, fmt.Sprintf("%s:%d %s", w.Subject.Filename, w.Subject.Start.Line, w.Summary))
	}
	if want := []string{"cves.yaml:3 Rule that is over", "cves.yaml:5 Rule without use", "cves.yaml:6 Rule without use"}; !slices.Equal(at, want) {
		t.Errorf("warnings %q, want %q", at, want)
	}
}

func TestBadRules(t *testing.T) {
	const good = "{id: CVE-2026-0001, package: a, reason: b}"
	for text, want := range map[string]string{
		"ignore: [\n":                   "1 Invalid YAML",
		"- a\n":                         "1 Unexpected content",
		"ignore: []\n---\nignore: []\n": "2 More than one document",
		"ignored: []\n":                 "1 Unknown key",
		"ignore: a\n":                   "1 Not a list",
		"ignore:\n- a\n":                "2 Not a rule",
		"ignore:\n- {id: CVE-2026-0001, reason: b}\n":                                    "2 Missing package",
		"ignore:\n- {id: CVE-2026-0001, package: b}\n":                                   "2 Missing reason",
		"ignore:\n- id: CVE-26-1\n  package: a\n  reason: b\n":                           "2 Not an ID",
		"ignore:\n- id: CVE-2026-0001\n  pakage: a\n  reason: b\n":                       "3 Unknown key",
		"ignore:\n- id: CVE-2026-0001\n  package: [a]\n  reason: b\n":                    "3 Not a string",
		"ignore:\n- id: CVE-2026-0001\n  package: a\n  reason: b\n  until: soon\n":       "5 Not a date",
		"ignore:\n- id: CVE-2026-0001\n  package: a\n  reason: b\n  flavours: [smal]\n":  "5 Unknown flavour",
		"ignore:\n- id: CVE-2026-0001\n  package: a\n  reason: b\n  flavours: all\n":     "5 Not a list",
		"ignore:\n- id: CVE-2026-0001\n  id: CVE-2026-0002\n  package: a\n  reason: b\n": "3 Key twice",
		"ignore:\n- " + good + "\n- " + good + "\n":                                      "3 Rule twice",
		"ignore:\n- {id: CVE-2026-0001, package: a, reason: ' '}\n":                      "2 Missing reason",
	} {
		_, diags := ReadRules(RulesFile, []byte(text), []string{"small"})
		if len(diags) != 1 {
			t.Errorf("%q: %v, want %s", text, diags, want)
			continue
		}
		if got := fmt.Sprintf("%d %s", diags[0].Subject.Start.Line, diags[0].Summary); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	for _, text := range []string{"", "# nothing\n", "ignore: []\n"} {
		if all, diags := ReadRules(RulesFile, []byte(text), nil); len(all)+len(diags) > 0 {
			t.Errorf("%q: %v %v", text, all, diags)
		}
	}
}
