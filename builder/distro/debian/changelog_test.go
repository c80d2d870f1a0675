package debian

import (
	"bytes"
	"compress/gzip"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro"
)

const someChangelog = `tool (2.0-2) testing; urgency=high

  * Fix a thing (CVE-2026-1000).

  [ Somebody ]
  * Another one.

 -- A Person <a@example.org>  Mon, 02 Feb 2026 10:00:00 +0000

tool (2.0-1+b1) testing; urgency=low, binary-only=yes

  * Compiled again.

 -- A Person <a@example.org>  Sun, 01 Feb 2026 10:00:00 +0000

tool (1:0.9~rc1-1) testing; urgency=medium

  * It has an epoch.

 -- A Person <a@example.org>  Sat, 31 Jan 2026 10:00:00 +0000

tool (1.0-1) testing; urgency=medium

  * First one.

 -- A Person <a@example.org>  Sat, 31 Jan 2026 10:00:00 +0000
`

func TestReadChangelog(t *testing.T) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write([]byte(someChangelog))
	_ = z.Close()
	for _, content := range [][]byte{[]byte(someChangelog), zipped.Bytes()} {
		entries, err := Family{}.ReadChangelog(content, "1.0-1", "2.0-2")
		if err != nil || len(entries) != 2 {
			t.Fatalf("%+v, %v", entries, err)
		}
		want := distro.ChangelogEntry{Version: "2.0-2", Urgency: "high", Date: "Mon, 02 Feb 2026 10:00:00 +0000", Text: "  * Fix a thing (CVE-2026-1000).\n\n  [ Somebody ]\n  * Another one."}
		if entries[0] != want || entries[1].Version != "2.0-1+b1" {
			t.Errorf("got %+v", entries)
		}
	}
	for _, c := range []struct {
		after, until string
		want         []string
	}{{"2.0-2", "2.0-2", nil}, {"2.0-1", "2.0-1+b1", []string{"2.0-1+b1"}}, {"2.0-2", "1:0.9-1", []string{"1:0.9~rc1-1"}}} {
		entries, err := Family{}.ReadChangelog([]byte(someChangelog), c.after, c.until)
		var got []string
		for _, e := range entries {
			got = append(got, e.Version)
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("from %s to %s: %v, %v", c.after, c.until, got, err)
		}
	}
	for _, odd := range []string{"", "rubbish\n", "\x1f\x8bnot gzip", " -- nobody\n", strings.Repeat("a (1) b; urgency=x\n", 3)} {
		if entries, _ := (Family{}).ReadChangelog([]byte(odd), "1", "0"); len(entries) > 0 {
			t.Errorf("%q has entries %v", odd, entries)
		}
	}
}
