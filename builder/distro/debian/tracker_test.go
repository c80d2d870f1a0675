package debian

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/treewright/treewright/builder/download"
)

const trackerSample = `{
 "openssl": {
  "CVE-2026-0001": {"scope": "remote", "description": "one", "debianbug": 1, "releases": {
    "bookworm": {"status": "open", "repositories": {"bookworm": "3.0.1-1"}, "urgency": "low"},
    "trixie": {"status": "resolved", "repositories": {"trixie": "3.5.1-1"}, "fixed_version": "3.5.1-1+deb13u1", "urgency": "medium"}}},
  "CVE-2026-0002": {"releases": {"trixie": {"status": "open", "urgency": "not yet assigned", "nodsa": "Minor issue", "nodsa_reason": "postponed"}}},
  "CVE-2026-0003": {"releases": {"trixie": {"status": "resolved", "fixed_version": "0", "urgency": "unimportant"}}},
  "CVE-2026-0004": {"releases": {"trixie": {"status": "undetermined", "urgency": "not yet assigned"}}},
  "CVE-2026-0005": {"releases": {"sid": {"status": "open", "urgency": "high"}}}
 },
 "other": {"CVE-2026-0006": {"releases": {"trixie": {"status": "open", "urgency": "high"}}}}
}`

func wantOpenSSL(source string) bool { return source == "openssl" }

func TestIssues(t *testing.T) {
	issues, err := Family{}.Issues(strings.NewReader(trackerSample), "trixie", wantOpenSSL)
	var got []string
	for _, i := range issues {
		got = append(got, fmt.Sprintf("%s %s fixed=%s %s unaffected=%v undetermined=%v %s", i.ID, i.Source, i.Fixed, i.Urgency, i.Unaffected, i.Undetermined, i.Remark))
	}
	want := `CVE-2026-0001 openssl fixed=3.5.1-1+deb13u1 medium unaffected=false undetermined=false 
CVE-2026-0002 openssl fixed= not yet assigned unaffected=false undetermined=false postponed: Minor issue
CVE-2026-0003 openssl fixed=0 unimportant unaffected=true undetermined=false 
CVE-2026-0004 openssl fixed= not yet assigned unaffected=false undetermined=true `
	if err != nil || strings.Join(got, "\n") != want {
		t.Errorf("error %v, got\n%s\nwant\n%s", err, strings.Join(got, "\n"), want)
	}
	for bad, want := range map[string]string{
		"": "end in the middle", trackerSample[:300]: "end in the middle", "[]": "in place of an object", "{}": "have no fault", `{"a": 1}`: "in place of an object",
		"<html>": "not the data of Debian's security tracker", trackerSample + "{}": "something follows",
		`{"openssl": {"CVE-1": {"releases": {"trixie": {"status": "resolved"}}}}}`: "without a version",
		`{"openssl": {"CVE-1": {"releases": {"trixie": {"status": "odd"}}}}}`:      "unknown status",
		`{"openssl": {"CVE-1": {"releases": []}}}`:                                 "CVE-1 of openssl",
	} {
		if _, err := (Family{}).Issues(strings.NewReader(bad), "trixie", wantOpenSSL); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: error %v, want %q", bad, err, want)
		}
	}
	if _, err := (Family{}).Issues(strings.NewReader(trackerSample), "testing", wantOpenSSL); err == nil || !strings.HasSuffix(err.Error(), "they have bookworm, sid, trixie") {
		t.Errorf("an unknown release: error %v", err)
	}
}

// TestLargeTracker: data of the real size are read in little memory.
func TestLargeTracker(t *testing.T) {
	const sources, faults = 400, 300
	fault := `{"scope": "remote", "description": "` + strings.Repeat("x", 300) + `", "releases": {"trixie": {"status": "open", "urgency": "low"}}}`
	r, w := io.Pipe()
	written := 0
	go func() {
		for s := range sources {
			for f := range faults {
				before := ","
				if f == 0 {
					before = fmt.Sprintf(`, "source%d": {`, s)
					if s == 0 {
						before = `{"openssl": {`
					}
				}
				n, _ := fmt.Fprintf(w, "%s\"CVE-2026-%06d\": %s", before, s*faults+f, fault)
				written += n
			}
			fmt.Fprint(w, "}")
		}
		fmt.Fprint(w, "}")
		w.Close()
	}()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	most := uint64(0)
	issues, err := Family{}.Issues(r, "trixie", func(source string) bool {
		runtime.GC()
		runtime.ReadMemStats(&after)
		most = max(most, after.HeapAlloc)
		return source == "openssl"
	})
	if err != nil || len(issues) != faults || written < 45<<20 {
		t.Fatalf("%d issues of %d bytes, error %v", len(issues), written, err)
	}
	if grown := int64(most) - int64(before.HeapAlloc); grown > 8<<20 {
		t.Errorf("%d bytes of memory for %d bytes of data", grown, written)
	}
}

// TestTrackerStalls: a connection that fails is not reported as wrong data, and may be tried
// again; wrong data are not.
func TestTrackerStalls(t *testing.T) {
	issues := func(r io.Reader) error {
		_, err := Family{}.Issues(r, "trixie", func(string) bool { return true })
		return err
	}
	failure := errors.New("connection lost")
	err := issues(io.MultiReader(strings.NewReader(trackerSample[:40]), iotest.ErrReader(failure)))
	if !errors.Is(err, failure) || strings.Contains(err.Error(), "not the data") || download.Lasting(err) {
		t.Errorf("a connection that fails: %v", err)
	}
	if err := issues(strings.NewReader("<html>")); !download.Lasting(err) {
		t.Errorf("wrong data: %v", err)
	}
}
