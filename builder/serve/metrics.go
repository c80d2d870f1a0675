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

// metrics writes the served files, the images that were made (e may be nil), and the requests since the start of the server, for Prometheus.
func metrics(l *listing, a *account, e *extending) []byte {
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

	if e != nil {
		e.metrics(head, &b)
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

// metrics writes the outcomes of requests for images.
func (e *extending) metrics(head func(name, kind, help string), b *bytes.Buffer) {
	outcomes := func(name string, counts map[string]int64) {
		for _, outcome := range slices.Sorted(maps.Keys(counts)) {
			fmt.Fprintf(b, "%s{outcome=%s} %d\n", name, label(outcome), counts[outcome])
		}
	}
	waiting, running, count := e.queue.now()
	head("treewright_extend_requests_total", "counter", "Requests for images of packages that ended, by outcome.")
	e.mu.Lock()
	outcomes("treewright_extend_requests_total", e.outcomes)
	e.mu.Unlock()
	head("treewright_extend_jobs_total", "counter", "Images of packages that were to be made, by outcome.")
	outcomes("treewright_extend_jobs_total", count.outcomes)
	head("treewright_extend_job_seconds_total", "counter", "How long jobs for images of packages ran.")
	fmt.Fprintf(b, "treewright_extend_job_seconds_total %g\n", count.seconds)
	head("treewright_extend_jobs_waiting", "gauge", "Images of packages that wait to be made.")
	fmt.Fprintf(b, "treewright_extend_jobs_waiting %d\n", waiting)
	head("treewright_extend_jobs_running", "gauge", "Images of packages that are made now.")
	fmt.Fprintf(b, "treewright_extend_jobs_running %d\n", running)
}

// label writes the value of a label.
func label(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}
