package reapi

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/treewright/treewright/builder/diag"
)

// address is the address of a server, with its name for the cache (the instance).
type address struct {
	tls        bool
	host, port string
	instance   string
}

// form is the form of the URLs that are read.
const form = "grpc://HOST:PORT[/INSTANCE] or grpcs://HOST[:PORT][/INSTANCE]"

// The API ends the name of an instance at these words of a resource's name.
var reserved = []string{"blobs", "uploads", "actions", "actionResults", "operations", "capabilities", "compressed-blobs"}

var (
	hostName     = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9.])?$`)
	instanceWord = regexp.MustCompile(`^[!-~]+$`)
)

// parse reads the URL of a server. Its errors do not show text that could be a password.
func (p purpose) parse(text string) (address, error) {
	a, fault := split(text)
	if fault != "" {
		return address{}, diag.Requestf("%s %s: %s", p.server, shown(text), fault)
	}
	return a, nil
}

// shown returns a URL without the user and the password before the host.
func shown(text string) string {
	at := strings.LastIndex(text, "@")
	if at < 0 {
		return diag.Visible(text)
	}
	scheme, _, found := strings.Cut(text[:at], "://")
	if !found {
		return diag.Visible("***" + text[at:])
	}
	return diag.Visible(scheme + "://***" + text[at:])
}

// split returns the parts of a URL, or the fault in it.
func split(text string) (a address, fault string) {
	u, err := url.Parse(text)
	// Text that url.Parse cannot read may be a password with a slash in it.
	if err != nil && strings.Contains(text, "@") || err == nil && u.User != nil {
		return a, "a URL with a name or a password in it is not used, as URLs are shown in messages and logs; use a client certificate or a credential helper"
	}
	switch {
	case err != nil:
		return a, "this is not a URL; want " + form
	case u.Scheme != "grpc" && u.Scheme != "grpcs":
		return a, "the URL of a server begins with grpc:// or grpcs://"
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(text, "#"):
		return a, "the URL of a server cannot have a query or a fragment; want " + form
	case u.Opaque != "" || u.Hostname() == "":
		return a, "the URL does not name a host; want " + form
	}
	a = address{tls: u.Scheme == "grpcs", host: u.Hostname(), port: u.Port()}
	if _, err := netip.ParseAddr(a.host); err != nil && !hostName.MatchString(a.host) {
		return a, fmt.Sprintf("%q is not the name of a host", a.host)
	}
	if a.port == "" {
		if !a.tls {
			return a, "the port is missing; want grpc://" + a.host + ":PORT, or grpcs://, whose port is 443 if none is given"
		}
		a.port = "443"
	}
	if n, err := strconv.ParseUint(a.port, 10, 16); err != nil || n == 0 {
		return a, fmt.Sprintf("%q is not a port", a.port)
	}
	a.instance = strings.Trim(u.Path, "/")
	for word := range strings.SplitSeq(a.instance, "/") {
		if a.instance != "" && (!instanceWord.MatchString(word) || slices.Contains(reserved, word)) {
			return a, fmt.Sprintf("%q is not the name of an instance: it has words of printable characters, divided by /, none of which is %s", a.instance, strings.Join(reserved, ", "))
		}
	}
	return a, ""
}

// target returns the address in the form of gRPC.
func (a address) target() string { return "dns:///" + net.JoinHostPort(a.host, a.port) }

// String returns the server's URL, without the instance.
func (a address) String() string {
	if a.tls {
		return "grpcs://" + net.JoinHostPort(a.host, a.port)
	}
	return "grpc://" + net.JoinHostPort(a.host, a.port)
}

// loopback reports whether the server is on this machine.
func (a address) loopback() bool {
	ip, err := netip.ParseAddr(a.host)
	return err == nil && ip.IsLoopback() || a.host == "localhost"
}

// resource returns the name of a resource of ByteStream.
func (a address) resource(words ...string) string {
	if a.instance != "" {
		words = append([]string{a.instance}, words...)
	}
	return strings.Join(words, "/")
}
