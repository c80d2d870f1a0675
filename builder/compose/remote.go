package compose

import (
	"fmt"
	"net/netip"
	"net/url"

	"github.com/hashicorp/hcl/v2"
)

// emulatedHost is what QEMU's user network calls the machine that it runs on:
// nobody stands between the two.
const emulatedHost = "10.0.2.2"

// checkRemote looks at where the machines of a flavour get their updates.
func (s *Spec) checkRemote() hcl.Diagnostics {
	f := s.StageFeature("commit")
	if f == nil {
		return nil
	}
	v := s.Parameters[f.Name]["remote_url"]
	// What is not a URL has been told by the parameter's format.
	u, err := url.Parse(v.String())
	if err != nil || u.Scheme != "http" || u.Hostname() == emulatedHost || loopback(u.Hostname()) {
		return nil
	}
	return hcl.Diagnostics{{
		Severity: hcl.DiagWarning, Summary: "Updates without authentication",
		Detail: fmt.Sprintf("Machines install what the server at %s sends: commits are not signed, and with http nothing proves who the server is. Use https: machines check its certificate.",
			u.Redacted()),
		Subject: &v.Range,
	}}
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
