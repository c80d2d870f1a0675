package vm

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// follows is that the machine looks for updates at the image's remote_url, and finds
// the repository there.
func (s *Scenario) follows(ctx context.Context) error {
	_, err := s.Session.Exec(ctx, "ostree admin upgrade --pull-only", "set -euo pipefail\n"+s.Lead.follows(), s.limit(2*time.Minute))
	all, rerr := readRequests(s.Session.Job.Shared())
	switch {
	case err != nil:
		return fmt.Errorf("%w\n%s", err, asked(all))
	case rerr != nil:
		return rerr
	}
	return s.Lead.check(all, "/refs/heads/"+s.Lead.Ref, "/summary")
}

// pulledFrom is that a commit was downloaded from the image's remote_url.
func (s *Scenario) pulledFrom(commit string) error {
	all, err := readRequests(s.Session.Job.Shared())
	if err != nil {
		return err
	}
	return s.Lead.check(all, "/objects/"+commit[:2]+"/"+commit[2:]+".commit")
}

// check finds that one of the paths below the remote's URL was asked for, and given.
func (l *Lead) check(all []Request, paths ...string) error {
	name := ""
	if len(l.authority) > 0 {
		// TLS has no server name for an address (RFC 6066).
		if _, err := netip.ParseAddr(l.Site.Host); err != nil {
			name = l.Site.Host
		}
	}
	for _, r := range all {
		for _, path := range paths {
			if r.Status == 200 && l.same(r.URL, path) && strings.EqualFold(r.ServerName, name) {
				return nil
			}
		}
	}
	return fmt.Errorf("the machine did not get %s%s\n%s", l.Remote.URL, strings.Join(paths, " or "), asked(all))
}

// same reports whether a URL that was asked for is that of a path below the remote's.
func (l *Lead) same(url, path string) bool {
	scheme, rest, _ := strings.Cut(url, "://")
	host, at, _ := strings.Cut(rest, "/")
	return (scheme == "https") == (len(l.authority) > 0) && l.Site.answersFor(host) && "/"+at == l.Site.Path+path
}

// askedLines is how many requests an error lists.
const askedLines = 10

// asked lists the last requests.
func asked(all []Request) string {
	if len(all) == 0 {
		return "the machine asked the server that stands in for remote_url for nothing"
	}
	var b strings.Builder
	b.WriteString("the last that the machine asked for:")
	for _, r := range all[max(0, len(all)-askedLines):] {
		fmt.Fprintf(&b, "\n  %s %d", r.URL, r.Status)
	}
	return b.String()
}
