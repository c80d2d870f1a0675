package debian

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strings"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/sandbox"
)

// Policy is what the host's apt configuration says about reaching archives and
// about release files that are past their Valid-Until. Treewright follows it,
// as the owner of the machine expects of anything that uses apt.
type Policy struct {
	// Options are the settings as apt names them, sorted: "Acquire::http::Proxy".
	Options [][2]string
	// Auth are the files with names and passwords for servers (apt_auth.conf(5)), the
	// first ones first.
	Auth []string
}

// Access asks apt-config(8).
func (Family) Access(ctx context.Context, auth []string) (distro.Access, error) {
	out, err := sandbox.Command{Argv: []string{"apt-config", "dump", "--format", "%f\t%v%n"}, Env: sandbox.HostEnv()}.Output(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the host's apt configuration: %w", err)
	}
	p := parsePolicy(string(out))
	p.Auth = append(slices.Clone(auth), hostAuth(string(out))...)
	return p, nil
}

func parsePolicy(dump string) Policy {
	var p Policy
	for _, line := range strings.Split(dump, "\n") {
		name, value, ok := strings.Cut(line, "\t")
		if !ok || value == "" {
			continue
		}
		if relevant(strings.ToLower(name)) && sayable(name, value) {
			p.Options = append(p.Options, [2]string{name, value})
		}
	}
	sort.Slice(p.Options, func(i, j int) bool { return p.Options[i][0] < p.Options[j][0] })
	return p
}

// sayable reports that a setting can be written in a file of settings, as [aptOption]
// does: apt knows no way to write a quotation mark or the end of a line.
func sayable(name, value string) bool {
	odd := func(r rune) bool { return r < ' ' || r == 0x7f || r == '"' }
	return !strings.ContainsFunc(name+value, odd) && !strings.ContainsAny(name, " ';{}#/")
}

// aptOption is a setting in the syntax of apt.conf(5), where a backslash is a
// backslash.
func aptOption(name, value string) string { return name + ` "` + value + "\";\n" }

// relevant: Acquire::http::Proxy, Acquire::https::Proxy::HOST,
// Acquire::Check-Valid-Until and their like.
func relevant(name string) bool {
	if !strings.HasPrefix(name, "acquire::") {
		return false
	}
	return strings.Contains(name, "::proxy") || aboutValidity(name) || name == "acquire::retries" || strings.HasSuffix(name, "::timeout")
}

// aboutValidity: for how long a release file is good, for all archives or one
// (Acquire::Max-ValidTime::Debian). See apt.conf(5).
func aboutValidity(name string) bool {
	for _, option := range []string{"check-valid-until", "max-validtime", "min-validtime", "check-date", "max-futuretime"} {
		if name == "acquire::"+option || strings.HasPrefix(name, "acquire::"+option+"::") {
			return true
		}
	}
	return false
}

// Conf is the policy in the syntax of apt.conf(5).
func (p Policy) Conf() string {
	var b strings.Builder
	for _, o := range p.Options {
		b.WriteString(aptOption(o[0], o[1]))
	}
	return b.String()
}

// String describes the policy for the user; "" if there is nothing special.
func (p Policy) String() string {
	var parts []string
	for _, o := range p.Options {
		if name := strings.ToLower(o[0]); strings.Contains(name, "proxy") || aboutValidity(name) {
			parts = append(parts, o[0]+"="+event.Mask(o[1]))
		}
	}
	return strings.Join(parts, " ")
}

// get returns the setting of that name, in any case, and "" if there is none.
func (p Policy) get(name string) string {
	for _, o := range p.Options {
		if strings.EqualFold(o[0], name) {
			return o[1]
		}
	}
	return ""
}

// checks reports whether a check of apt is on. Its setting turns it off by any word that
// apt reads as no.
func (p Policy) checks(name string) bool {
	return !slices.Contains([]string{"no", "false", "without", "off", "disable", "0"}, strings.ToLower(p.get(name)))
}

// Secrets returns the paths of the files with names and passwords, for the fetch
// step's hints.
func (p Policy) Secrets() []string { return p.Auth }

// Proxies returns the proxy settings alone, for the fetch step's hints.
func (p Policy) Proxies() [][2]string {
	var out [][2]string
	for _, o := range p.Options {
		if strings.Contains(strings.ToLower(o[0]), "::proxy") {
			out = append(out, o)
		}
	}
	return out
}

// proxyFunc chooses the proxy of a request as apt-transport-http(1) says: the
// setting for the host before the one for the scheme, DIRECT for none, the
// environment last.
func (p Policy) proxyFunc() func(*http.Request) (*url.URL, error) {
	return func(r *http.Request) (*url.URL, error) {
		base := "Acquire::" + r.URL.Scheme + "::Proxy"
		value := p.get(base + "::" + r.URL.Hostname())
		if value == "" {
			value = p.get(base)
		}
		switch {
		case value == "":
			return http.ProxyFromEnvironment(r)
		case strings.EqualFold(value, "DIRECT"):
			return nil, nil
		}
		return url.Parse(value)
	}
}

// Client returns a client that goes through the proxies of the policy, and gives
// servers the names and passwords that are for them. Tries that fail are told to
// say.
func (p Policy) Client(t download.Timing, say func(string)) *download.Client {
	client := download.New(t, p.proxyFunc(), say)
	client.Credentials(readAuth(p.Auth).of)
	return client
}

// asksForProxies reports whether apt is to run a program that finds a proxy.
func (p Policy) asksForProxies() bool {
	for _, o := range p.Options {
		if name := strings.ToLower(o[0]); strings.HasSuffix(name, "::proxy-auto-detect") || strings.HasSuffix(name, "::proxyautodetect") {
			return true
		}
	}
	return false
}
