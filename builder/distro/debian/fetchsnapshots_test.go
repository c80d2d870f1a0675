package debian

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/distro"
)

// TestFetchFromSnapshots: what the mirror does not have any more, or has with other bytes,
// comes from the first snapshot archive with the right bytes. Nothing else is taken.
func TestFetchFromSnapshots(t *testing.T) {
	content := deb(1500000000, "old")
	right := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(content) }
	wrong := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(deb(1500000000, "bad")) }
	fails := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }
	for name, c := range map[string]struct {
		mirror, hash, dated http.HandlerFunc
		want                string // of the error; "" for none
	}{
		"by hash":             {nil, right, nil, ""},
		"by date":             {nil, nil, right, ""},
		"other bytes":         {wrong, nil, right, ""},
		"failing mirror":      {fails, right, nil, ""},
		"wrong in one":        {nil, wrong, right, ""},
		"nowhere":             {nil, nil, nil, "None of the snapshot archives has it"},
		"wrong everywhere":    {wrong, wrong, wrong, "wrong checksum"},
		"wrong and a failure": {nil, wrong, fails, "500"},
		"shorter than it was": {nil, nil, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(content[:70]) }, "ends after 70 of"},
		"longer than it was":  {nil, nil, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(append(content, 'x')) }, "longer than the"},
	} {
		t.Run(name, func(t *testing.T) {
			m, snapshot := newMirror(t), newMirror(t)
			index := m.add("old", "1", content)
			packages, err := parsePackages([]byte(index))
			if err != nil {
				t.Fatal(err)
			}
			p := packages[0]
			m.files = map[string][]byte{}
			for at, h := range map[*mirror]map[string]http.HandlerFunc{
				m: {"/pool/old+x.deb": c.mirror}, snapshot: {"/file/" + p.SHA256: c.hash, "/archive/20261030T080000Z/pool/old+x.deb": c.dated},
			} {
				for path, handler := range h {
					if handler != nil {
						at.special[path] = handler
					}
				}
			}
			hints := distro.FetchHints{
				Mirrors: map[string][]string{distro.MainSource: {m.URL}}, Cache: t.TempDir(),
				Snapshots: []distro.SnapshotTemplate{
					{URL: snapshot.URL + "/sha1/{sha1}", Place: "treewright.hcl:2"}, {URL: snapshot.URL + "/file/{sha256}", Place: "treewright.hcl:3"},
					{URL: snapshot.URL + "/archive/{timestamp}/{path}", Place: "treewright.hcl:4"},
				},
				Pins: map[string]string{p.SHA256: "flavours/x.lock.json:7"}, Dates: map[string]time.Time{p.SHA256: time.Date(2026, 10, 30, 8, 0, 0, 0, time.UTC)},
			}
			out := t.TempDir()
			_, err = fetch(t.Context(), []byte(index), out, hints, impatient(), func(int64, int64) {})
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "flavours/x.lock.json:7: ") {
					t.Errorf("the error is %v, want %s", err, c.want)
				}
				if left, _ := filepath.Glob(filepath.Join(out, "pool/*")); len(left) > 0 {
					t.Errorf("%v is there", left)
				}
				return
			}
			if got, readErr := os.ReadFile(filepath.Join(out, "pool/old_1_amd64.deb")); err != nil || readErr != nil || string(got) != string(content) {
				t.Errorf("errors %v, %v, or other bytes", err, readErr)
			}
		})
	}
}
