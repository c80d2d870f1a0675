package serve

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// metricsType is the content type of the text format of Prometheus.
const metricsType = "text/plain; version=0.0.4; charset=utf-8"

// metrics writes what is served, and what was asked for since the server was started, for Prometheus.
func metrics(l *listing, a *account) []byte {
	var b bytes.Buffer
	head := func(name, kind, help string) { fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind) }

	head("treewright_commit_info", "gauge", "The newest commit of a flavour; the value is 1.")
	for _, f := range l.flavours {
		if s := f.summary; s.Commit != "" {
			fmt.Fprintf(&b, "treewright_commit_info{flavour=%s,ref=%s,commit=%s,version=%s} 1\n", label(f.name), label(s.Ref), label(s.Commit), label(s.Version))
		}
	}
	head("treewright_commit_timestamp_seconds", "gauge", "The time of the newest commit of a flavour.")
	for _, f := range l.flavours {
		if len(f.past) > 0 {
			fmt.Fprintf(&b, "treewright_commit_timestamp_seconds{flavour=%s} %d\n", label(f.name), f.past[0].Time.Unix())
		}
	}

	a.mu.Lock()
	defer a.mu.Unlock()
	head("treewright_commit_pulls_total", "counter", "How often the object of a commit was sent.")
	for _, p := range slices.SortedFunc(maps.Keys(a.pulls), func(a, b pull) int {
		return cmp.Or(cmp.Compare(a.flavour, b.flavour), cmp.Compare(a.commit, b.commit))
	}) {
		fmt.Fprintf(&b, "treewright_commit_pulls_total{flavour=%s,commit=%s} %d\n", label(p.flavour), label(p.commit), a.pulls[p])
	}
	head("treewright_http_requests_total", "counter", "Requests that were answered, by status.")
	for _, status := range slices.Sorted(maps.Keys(a.requests)) {
		fmt.Fprintf(&b, "treewright_http_requests_total{code=\"%d\"} %d\n", status, a.requests[status])
	}
	head("treewright_http_response_bytes_total", "counter", "Bytes of the bodies of all answers.")
	fmt.Fprintf(&b, "treewright_http_response_bytes_total %d\n", a.bytes)
	return b.Bytes()
}

// label writes the value of a label.
func label(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}
