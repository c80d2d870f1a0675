package vm

import (
	"slices"
	"strings"
	"testing"
)

var (
	commitA = strings.Repeat("a", 64)
	commitB = strings.Repeat("b", 64)
	status  = "* debian " + commitB + ".0\n" +
		"    Version: 20261030.1\n" +
		"    origin refspec: main:debian/testing/amd64\n" +
		"  debian " + commitA + ".1 (rollback)\n" +
		"    Version: 20261030\n"
)

func TestParseDeployments(t *testing.T) {
	want := []deployment{{commit: commitB, booted: true}, {commit: commitA}}
	if got := parseDeployments(status); !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
}

func TestExpectDeployments(t *testing.T) {
	if err := expectDeployments(status, 0, commitB, commitA); err != nil {
		t.Error(err)
	}
	for name, err := range map[string]error{
		"other order":  expectDeployments(status, 0, commitA, commitB),
		"other booted": expectDeployments(status, 1, commitB, commitA),
		"one missing":  expectDeployments(status, 0, commitB),
		"one too few":  expectDeployments(status, 0, commitB, commitA, commitA),
		"none":         expectDeployments("", 0, commitA),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func FuzzParseDeployments(f *testing.F) {
	f.Add(status)
	f.Add("* debian " + commitA + ".99999999999999999999\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, d := range parseDeployments(text) {
			if len(d.commit) != 64 || !strings.Contains(text, d.commit+".") {
				t.Errorf("%q gives %+v", text, d)
			}
		}
	})
}
