package extend

import (
	"strings"
	"testing"
)

const commit = "1111111111111111111111111111111111111111111111111111111111111111"

// The order of names, and names that occur twice, do not make another image.
func TestID(t *testing.T) {
	a := Request{Commit: commit, Packages: []string{"tcpdump", "jq", "jq"}}
	b := Request{Commit: commit, Packages: []string{"jq", "tcpdump"}}
	if a.DocumentFile() != b.DocumentFile() {
		t.Errorf("%s and %s differ", a.DocumentFile(), b.DocumentFile())
	}
	if c := (Request{Commit: commit, Packages: []string{"jq"}}); c.ID() == b.ID() {
		t.Error("one package has the ID of two")
	}
	if a.Packages[0] != "tcpdump" {
		t.Error("the request was changed")
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		request Request
		want    string
	}{
		{Request{Commit: commit, Packages: []string{"jq", "g++", "libc6.1"}}, ""},
		{Request{Commit: "../x", Packages: []string{"jq"}}, "checksum"},
		{Request{Commit: commit}, "no package"},
		{Request{Commit: commit, Packages: []string{"jq", "-o=Dir::Bin=/x"}}, "-o=Dir"},
		{Request{Commit: commit, Packages: []string{"jq=1.7"}}, "jq=1.7"},
		{Request{Commit: commit, Packages: []string{"jq-"}}, ""},
		{Request{Commit: commit, Packages: []string{"Jq"}}, `"Jq" is not the name of a package: names have no capital letters; did you mean "jq"?`},
		{Request{Commit: commit, Packages: []string{"jq:i386"}}, `"jq:i386" is not the name of a package: packages are of the commit's architecture, and in the versions of its sources; ask for "jq"`},
		{Request{Commit: commit, Packages: []string{"jq/sid"}}, `ask for "jq"`},
		{Request{Commit: commit, Packages: []string{"j"}}, "not the name"},
		{Request{Commit: commit, Packages: []string{""}}, "not the name"},
		{Request{Commit: commit, Packages: []string{strings.Repeat("a", 201)}}, "aaa"},
		{Request{Commit: commit, Packages: make([]string, MostPackages+1)}, "limit"},
	} {
		err := c.request.Check()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v: got %v, want %q", c.request.Packages, err, c.want)
		}
	}
}

// A document that was signed for another commit or other packages is refused.
func TestReadOthers(t *testing.T) {
	asked := Request{Commit: commit, Packages: []string{"tcpdump", "jq"}}
	d := &Document{Request: asked.Sorted(), Size: 4096, SHA256: commit}
	text, err := d.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Read(text, asked)
	if err != nil || got.SHA256 != commit || got.ImageFile() != commit+"/"+commit+".raw" {
		t.Errorf("got %v, %v", got, err)
	}
	for name, r := range map[string]Request{
		"commit":   {Commit: strings.Repeat("2", 64), Packages: asked.Packages},
		"packages": {Commit: commit, Packages: []string{"jq"}},
	} {
		if _, err := Read(text, r); err == nil {
			t.Errorf("a document for another %s is accepted", name)
		}
	}
	for _, change := range [][2]string{{`"version": 1`, `"version": 2`}, {`"size": 4096`, `"size": 0`}, {`"sha256": "1`, `"sha256": "../`}} {
		if _, err := Read([]byte(strings.Replace(string(text), change[0], change[1], 1)), asked); err == nil {
			t.Errorf("%s is accepted", change[1])
		}
	}
}
