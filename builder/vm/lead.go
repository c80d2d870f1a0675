package vm

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/sandbox"
)

// Host is what QEMU's user network calls the machine that it runs on. What the guest
// sends there comes to 127.0.0.1.
const Host = "10.0.2.2"

var (
	// guestNetwork is QEMU's user network, of which other addresses lead nowhere.
	guestNetwork = netip.MustParsePrefix("10.0.2.0/24")
	// siteAddr is where a server is found that has a name. It belongs to nobody
	// (RFC 5737), and to the loopback device of the job.
	siteAddr = netip.MustParseAddr("198.51.100.2")
)

// Lead leads a machine that follows its image's remote to a server of this test. Nothing
// in the image is changed: the guest's files that it needs are covered by others until
// the next boot.
type Lead struct {
	// Remote is the image's, and Ref what is followed of it.
	Remote Remote
	Ref    string
	// Site is the server that is found by the remote's URL.
	Site Site

	authority []byte // the certificate that the guest is to believe, "" with http
}

// NewLead makes the lead to a repository, whose path below the served directory is in
// serves. An error says, as the end of a sentence, why the URL cannot be led anywhere.
func NewLead(remote Remote, ref, serves string) (*Lead, error) {
	u, err := url.Parse(remote.URL)
	if err != nil {
		return nil, fmt.Errorf("is not a URL: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("is not a URL of a server, but of a %s", u.Scheme)
	}
	addr, err := siteOf(u.Hostname())
	if err != nil {
		return nil, err
	}
	port := uint64(80)
	if u.Scheme == "https" {
		port = 443
	}
	if text := u.Port(); text != "" {
		if port, err = strconv.ParseUint(text, 10, 16); err != nil || port == 0 {
			return nil, fmt.Errorf("has the port %s, which is not one", text)
		}
	}
	l := &Lead{Remote: remote, Ref: ref, Site: Site{
		Addr: netip.AddrPortFrom(addr, uint16(port)), Host: strings.ToLower(u.Hostname()), Path: strings.TrimRight(u.Path, "/"), Serves: serves,
	}}
	if u.Scheme == "https" {
		if l.authority, err = l.Site.certify(time.Now()); err != nil {
			return nil, fmt.Errorf("cannot be served: %w", err)
		}
	}
	return l, nil
}

// siteOf returns the address, in the job's network, at which the guest finds a host.
func siteOf(host string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(host)
	name := strings.TrimSuffix(strings.ToLower(host), ".")
	switch {
	case name == "":
		return addr, fmt.Errorf("has no host")
	case name == "localhost" || strings.HasSuffix(name, ".localhost") || err == nil && (addr.IsLoopback() || addr.IsUnspecified()):
		return addr, fmt.Errorf("leads to the machine itself")
	case err != nil && strings.ContainsFunc(host, func(r rune) bool { return r > '~' }):
		return addr, fmt.Errorf("has a host with letters that are not ASCII; write it as DNS has it, with xn--")
	case err != nil && strings.ContainsAny(host, " \t%'\"\\"):
		return addr, fmt.Errorf("has a host that is not a name")
	case err != nil:
		return siteAddr, nil
	case host == Host:
		return netip.MustParseAddr("127.0.0.1"), nil
	case !addr.Is4():
		return addr, fmt.Errorf("has an IPv6 address as its host; use a name")
	case guestNetwork.Contains(addr):
		return addr, fmt.Errorf("has an address of the virtual machine's own network %s", guestNetwork)
	case !addr.IsGlobalUnicast():
		return addr, fmt.Errorf("has an address that is not a host's")
	}
	return addr, nil
}

// script has the guest find the site: a line in /etc/hosts, and one more certificate
// to believe. Both files are covered, so that none of it is in the next boot or in the
// /etc of another deployment.
func (l *Lead) script() string {
	var b strings.Builder
	if l.Site.Addr.Addr() == siteAddr {
		fmt.Fprintf(&b, `
if ! mountpoint --quiet /etc/hosts; then
	[[ -e /etc/hosts ]] || : > /etc/hosts
	echo %s > hosts
	while read -r line || [[ -n $line ]]; do
		[[ " ${line,,} " == *[[:blank:]]%s[[:blank:]]* ]] || echo "$line" >> hosts
	done < /etc/hosts
	mount --bind hosts /etc/hosts
fi
`, sandbox.Quote(siteAddr.String()+" "+l.Site.Host), sandbox.Quote(l.Site.Host))
	}
	if len(l.authority) > 0 {
		fmt.Fprintf(&b, `
bundle=/etc/ssl/certs/ca-certificates.crt
if ! mountpoint --quiet "$bundle"; then
	{ cat "$bundle"; echo %s; } > ca-certificates.crt
	mount --bind ca-certificates.crt "$bundle"
fi
`, sandbox.Quote(string(l.authority)))
	}
	return b.String()
}

// follows has the guest look for something newer at its remote, as it came.
func (l *Lead) follows() string {
	return fmt.Sprintf(`
url=$(ostree remote show-url %[1]s)
[[ $url == %[2]s ]] || { echo "the remote %[3]s has the URL $url, not remote_url"; exit 1; }
ostree admin upgrade --pull-only
`, sandbox.Quote(l.Remote.Name), sandbox.Quote(l.Remote.URL), l.Remote.Name)
}
