package oci

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"oras.land/oras-go/v2/registry"

	"github.com/treewright/treewright/builder/diag"
)

const scheme = "oci://"

// mostRepository is the longest name of a registry and a repository that all clients with docker's rules accept.
const mostRepository = 255

// parse reads oci://REGISTRY[:PORT]/REPOSITORY. Errors do not repeat text that may be a password or a token.
func parse(url string) (registry.Reference, error) {
	var none registry.Reference
	rest, ok := strings.CutPrefix(url, scheme)
	if !ok {
		return none, diag.Requestf("the URL of a registry begins with %s, as in oci://ghcr.io/owner/cache", scheme)
	}
	host, repository, _ := strings.Cut(rest, "/")
	if strings.Contains(host, "@") {
		return none, diag.Requestf("the URL of the registry has a user or a password in it; log in with docker login, which keeps them elsewhere")
	}
	if i := strings.IndexAny(rest, "?#"); i >= 0 {
		return none, diag.Requestf("%s%s is followed by a query or a fragment, which a registry does not have", scheme, rest[:i])
	}
	name, port := host, ""
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') {
		name, port = host[:colon], host[colon+1:]
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return none, diag.Requestf("%s%s: %q is not a port", scheme, rest, port)
		}
	}
	if !isHost(name) {
		return none, diag.Requestf("%s%s: %q is not the name or address of a registry", scheme, rest, name)
	}
	if err := checkRepository(host, repository); err != nil {
		return none, err
	}
	return registry.Reference{Registry: host, Repository: repository}, nil
}

// isHost reports whether text is a name, an IPv4 address, or an IPv6 address in brackets.
func isHost(text string) bool {
	if inner, ok := strings.CutPrefix(text, "["); ok {
		addr, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		return err == nil && addr.Is6() && addr.Zone() == "" && strings.HasSuffix(inner, "]")
	}
	const ends = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	return text != "" && strings.Trim(text, ends+".-") == "" && strings.Trim(text[:1]+text[len(text)-1:], ends) == ""
}

// checkRepository returns an error for a wrong name of a repository. The error has the reason and the right form.
func checkRepository(host, repository string) error {
	at := scheme + host + "/"
	switch {
	case repository == "":
		return diag.Requestf("%s does not have a repository: write %sOWNER/NAME", scheme+host, at)
	case strings.Contains(repository, "@"):
		return diag.Requestf("%s%s has a digest: results have tags of their own, so name the repository alone", at, repository)
	case strings.Contains(repository, ":"):
		return diag.Requestf("%s%s has a tag: results have tags of their own, so name the repository alone", at, repository)
	case strings.HasSuffix(repository, "/"):
		return diag.Requestf("%s%s ends with a slash: write %s%s", at, repository, at, strings.TrimRight(repository, "/"))
	case strings.ToLower(repository) != repository:
		return diag.Requestf("%s%s: registries do not allow capital letters in the names of repositories: write %s%s", at, repository, at, strings.ToLower(repository))
	case len(host)+1+len(repository) > mostRepository:
		return diag.Requestf("%s%s is longer than the %d characters that registries take", at, repository, mostRepository)
	}
	if (registry.Reference{Registry: host, Repository: repository}).ValidateRepository() != nil {
		return diag.Requestf("%s%s: %q is not the name of a repository: it has lower-case letters and digits, and between them dots, dashes, underscores and slashes", at, repository, repository)
	}
	return nil
}

// loopback reports whether a registry is on this machine. It looks at the name alone.
func loopback(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	if strings.EqualFold(name, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(strings.Trim(name, "[]"))
	return err == nil && addr.IsLoopback()
}
