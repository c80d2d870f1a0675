package debian

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian/debtest"
)

// TestArmour: an armoured keyring that apt cannot read is told before an archive is
// asked, and what is accepted apt can read.
func TestArmour(t *testing.T) {
	r := debtest.New(t, &debtest.Suite{Name: "stable", Packages: debtest.Base()})
	data, err := os.ReadFile(r.Key.Armoured)
	if err != nil {
		t.Fatal(err)
	}
	key := string(data)
	file := filepath.Join(t.TempDir(), "key.asc")
	for name, tc := range map[string]struct{ text, want string }{
		"as it is":       {key, ""},
		"text around it": {"Our key:\n\n" + key + "\nThat was it.\n", ""},
		"windows":        {strings.ReplaceAll(key, "\n", "\r\n"), "CR and LF"},
		"mark":           {"\xef\xbb\xbf" + key, "byte order mark"},
		"indented":       {"  " + strings.ReplaceAll(key, "\n", "\n  "), "an indented text"},
		"no empty line":  {strings.Replace(key, "\n\n", "\n", 1), "the empty line"},
		"cut":            {key[:len(key)/2], "whose end is missing"},
	} {
		if err := os.WriteFile(file, []byte(tc.text), 0o644); err != nil {
			t.Fatal(err)
		}
		err := Family{}.CheckKeyring(file)
		if tc.want == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			opened(t, []distro.Source{{Name: "main", URL: r.FileURL(), Suite: "stable", Components: []string{"main"}, Keyring: file}})
		} else if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want %q", name, err, tc.want)
		}
	}
}

// TestDatesAreNotTheReason: of an old release file that this machine's apt accepts,
// something else is wrong.
func TestDatesAreNotTheReason(t *testing.T) {
	r := debtest.New(t, &debtest.Suite{Name: "stable", Packages: debtest.Base(), ValidUntil: time.Date(2024, 2, 3, 4, 5, 6, 0, time.UTC)})
	signed, err := os.ReadFile(filepath.Join(r.Dir, "dists/stable/InRelease"))
	if err != nil {
		t.Fatal(err)
	}
	read, ok := readRelease(signed)
	_, signature := clearsigned(signed)
	s := sourceOf(r, r.FileURL())
	if !ok || signature == nil {
		t.Fatal("the release file cannot be read")
	}
	now := time.Now().UTC()
	for _, tc := range []struct {
		setting, value string
		date           time.Time
		want           string
	}{
		{"Acquire::Check-Valid-Until", "true", now, "Expired release file"},
		{"acquire::check-valid-until", "No", now, ""},
		{"Acquire::Check-Valid-Until", "0", now.Add(time.Hour), "Release file of the future"},
		{"Acquire::Check-Date", "false", now.Add(time.Hour), ""},
	} {
		j := judge{policy: Policy{Options: append(slices.Clone(quick.Options), [2]string{tc.setting, tc.value})}, archs: []string{"amd64"}, now: now}
		release := read
		release.Date = tc.date
		got := ""
		if fault := j.release(s, release, signature); fault != nil {
			got = fault.Summary
		}
		if got != tc.want {
			t.Errorf("%s %s: %q, want %q", tc.setting, tc.value, got, tc.want)
		}
	}
}
