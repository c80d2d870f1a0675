package debian

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro"
)

func TestParseSimulation(t *testing.T) {
	const out = `NOTE: This is only a simulation!
Reading package lists...
The following NEW packages will be installed:
  libc6 gcc-14-base
Inst gcc-14-base (14.2.0-19 Debian:testing [amd64])
Inst libc6 (2.41-12 Debian:testing [amd64]) []
Inst libfoo:i386 (1:2.0+dfsg-1~bpo1 Debian:testing [i386])
Inst dpkg [1.22.0] (1.23.11 Debian:testing [amd64])
Inst a (1 Debian:testing, Debian-Security:testing/stable-security [all])
Conf libc6 (2.41-12 Debian:testing [amd64])
Remv old [1.0]
`
	want := []distro.Package{{Name: "gcc-14-base", Version: "14.2.0-19", Arch: "amd64"}, {Name: "libc6", Version: "2.41-12", Arch: "amd64"}, {Name: "libfoo", Version: "1:2.0+dfsg-1~bpo1", Arch: "i386"}, {Name: "dpkg", Version: "1.23.11", Arch: "amd64"}, {Name: "a", Version: "1", Arch: "all"}}
	if got, err := parseSimulation(out); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, error %v, want %v", got, err, want)
	}
	if got, err := parseSimulation("E: Unable to locate package x\n"); err != nil || len(got) != 0 {
		t.Errorf("got %v, error %v of an error", got, err)
	}
	if got, err := parseSimulation("Inst a (1 Debian:testing [all])\nInst b\n"); err == nil {
		t.Errorf("got %v of a line without a version", got)
	}
}

func TestParsePolicy(t *testing.T) {
	p := parsePolicy(strings.Join([]string{
		"APT::Architecture\tamd64", "Acquire::http::Proxy\thttp://u:secret@proxy:3128/", "Acquire::https::Proxy::deb.debian.org\tDIRECT",
		"acquire::Check-Valid-Until\tfalse", "Acquire::Max-ValidTime::Debian\t86400", "Acquire::Retries\t5", "Acquire::http::Timeout\t30",
		"Acquire::Languages\tnone", "Acquire::http\t", "Dir\t/", "nonsense", "Acquire::Min-ValidTime\t1", "Acquire::Max-ValidTimes\t1",
	}, "\n"))
	var names []string
	for _, o := range p.Options {
		names = append(names, o[0])
	}
	want := []string{"Acquire::Max-ValidTime::Debian", "Acquire::Min-ValidTime", "Acquire::Retries", "Acquire::http::Proxy", "Acquire::http::Timeout", "Acquire::https::Proxy::deb.debian.org", "acquire::Check-Valid-Until"}
	if !slices.Equal(names, want) {
		t.Errorf("options %v, want %v", names, want)
	}
	text := p.String()
	if strings.Contains(text, "secret") || !strings.Contains(text, "Acquire::http::Proxy=http://u:***@proxy:3128/") || !strings.Contains(text, "acquire::Check-Valid-Until=false") {
		t.Errorf("described as %q", text)
	}
	if strings.Contains(text, "Retries") {
		t.Errorf("what is nothing special is shown: %q", text)
	}
	if got := p.Proxies(); len(got) != 2 || got[0][0] != "Acquire::http::Proxy" {
		t.Errorf("proxies %v", got)
	}
	if got := (Policy{}).String(); got != "" {
		t.Errorf("nothing is described as %q", got)
	}
}

func TestProxyFunc(t *testing.T) {
	for _, name := range []string{"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY"} {
		t.Setenv(name, "")
	}
	for _, tc := range []struct {
		name    string
		options [][2]string
		url     string
		want    string // "" for none
	}{
		{"none", nil, "http://deb.debian.org/x", ""},
		{"scheme", [][2]string{{"Acquire::http::Proxy", "http://p:1"}}, "http://deb.debian.org/x", "http://p:1"},
		{"other case", [][2]string{{"acquire::HTTP::proxy", "http://p:1"}}, "http://deb.debian.org/x", "http://p:1"},
		{"other scheme", [][2]string{{"Acquire::ftp::Proxy", "http://p:1"}}, "http://deb.debian.org/x", ""},
		{"https", [][2]string{{"Acquire::https::Proxy", "http://p:2"}, {"Acquire::http::Proxy", "http://p:1"}}, "https://deb.debian.org/x", "http://p:2"},
		{"host first", [][2]string{{"Acquire::http::Proxy", "http://p:1"}, {"Acquire::http::Proxy::deb.debian.org", "http://p:2"}}, "http://deb.debian.org:80/x", "http://p:2"},
		{"another host", [][2]string{{"Acquire::http::Proxy", "http://p:1"}, {"Acquire::http::Proxy::deb.debian.org", "http://p:2"}}, "http://other/x", "http://p:1"},
		{"direct", [][2]string{{"Acquire::http::Proxy", "DIRECT"}}, "http://deb.debian.org/x", ""},
		{"direct for a host", [][2]string{{"Acquire::http::Proxy", "http://p:1"}, {"Acquire::http::Proxy::local", "direct"}}, "http://local/x", ""},
	} {
		u, err := url.Parse(tc.url)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Policy{Options: tc.options}.proxyFunc()(&http.Request{URL: u})
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		text := ""
		if got != nil {
			text = got.String()
		}
		if text != tc.want {
			t.Errorf("%s: %s goes through %q, want %q", tc.name, tc.url, text, tc.want)
		}
	}
	u := &url.URL{Scheme: "http", Host: "x"}
	if _, err := (Policy{Options: [][2]string{{"Acquire::http::Proxy", "http://[bad"}}}).proxyFunc()(&http.Request{URL: u}); err == nil {
		t.Error("a proxy that is not a URL is taken for none")
	}
}

func TestErrorsNameThePackages(t *testing.T) {
	err := &distro.UnknownError{Sources: []distro.Source{{URL: "http://m", Suite: "testing"}}, Missing: []distro.Want{{Name: "podmna"}, {Name: "bash", Version: "9"}}}
	if got := err.Error(); got != "http://m testing has no package podmna, bash=9" {
		t.Errorf("%q", got)
	}
}
