package debian

import (
	"testing"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian/debtest"
)

// TestSuiteGetsAnotherName: with a release of Debian, testing and stable become other
// releases. Older indices are not a reason to refuse the new ones.
func TestSuiteGetsAnotherName(t *testing.T) {
	r := debtest.New(t, &debtest.Suite{Name: "testing", Packages: debtest.Base(), Fields: map[string]string{"Codename": "forky", "Version": "14"}})
	o := distro.ArchiveOptions{Arch: "amd64", Cache: t.TempDir(), Client: impatient(), Sources: []distro.Source{
		{Name: distro.MainSource, URL: r.FileURL(), Suite: "testing", Components: []string{"main"}, Keyring: r.Key.Keyring},
	}}
	before, err := quick.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	r.Suite("testing").Fields = map[string]string{"Codename": "duke", "Origin": "Others", "Label": "Others", "Version": "15", "Suite": "oldtesting"}
	r.Publish(t)
	after, err := quick.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if before.Releases()[0].SHA256 == after.Releases()[0].SHA256 {
		t.Error("the release file of before is in use")
	}
}
