package distro

import (
	"strings"
	"testing"
	"time"
)

func TestSnapshot(t *testing.T) {
	p := Archived{Package: Package{Name: "a", Version: "1:2~b+1", Arch: "all"}, Filename: "pool/main/a/a_2~b+1_all.deb", SHA256: strings.Repeat("a", 64), Stanza: "Package: a\nSHA1: abcd\n"}
	at := time.Date(2026, 10, 30, 8, 1, 2, 0, time.UTC)
	for template, want := range map[string]string{
		"https://s/file/{sha1}":                       "https://s/file/abcd",
		"https://s/{sha256}.deb":                      "https://s/" + p.SHA256 + ".deb",
		"https://s/{archive}/{timestamp}/{path}":      "https://s/debian-security/20261030T080102Z/pool/main/a/a_2~b+1_all.deb",
		"file:///srv/{file}":                          "file:///srv/a_2~b+1_all.deb",
		"https://s/{md5}":                             "",
		"https://s/{path}/{sha256}/{sha256}/download": "https://s/pool/main/a/a_2~b+1_all.deb/" + p.SHA256 + "/" + p.SHA256 + "/download",
	} {
		if got, ok := Snapshot(template, p, "http://mirror/debian-security", at); got != want || ok != (want != "") {
			t.Errorf("%s: %q, %v; want %q", template, got, ok, want)
		}
	}
	if got, ok := Snapshot("https://s/{timestamp}/{path}", p, "http://mirror/debian", time.Time{}); ok {
		t.Errorf("without a date there is %q", got)
	}
}
