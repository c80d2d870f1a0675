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
		Severity: hcl.DiagWarning, Summary: "Updates from anybody",
		Detail: fmt.Sprintf("Machines take whatever answers at %s for their next system: commits are not signed, and over http nobody proves to be that host. Use https, which machines check.",
			u.Redacted()),
		Subject: &v.Range,
	}}
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
