package debian

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro"
)

func TestPrintedPackage(t *testing.T) {
	for line, want := range map[string]distro.Package{
		`'http://deb.debian.org/debian/pool/main/g/gcc-14/gcc-14-base_14.2.0-19_amd64.deb' gcc-14-base_14.2.0-19_amd64.deb 46320 SHA256:06d0`: {Name: "gcc-14-base", Version: "14.2.0-19", Arch: "amd64"},
		`'http://mirror/libfoo_2.0%2bdfsg-1~bpo1_i386.deb' libfoo_1%3a2.0+dfsg-1~bpo1_i386.deb 46320 MD5Sum:06d0`:                             {Name: "libfoo", Version: "1:2.0+dfsg-1~bpo1", Arch: "i386"},
		`'file:/srv/a b/./a_1_all.deb' a_1_all.deb 1 `: {Name: "a", Version: "1", Arch: "all"},
	} {
		if got, err := printedPackage(line); err != nil || got != want {
			t.Errorf("%s: got %v, error %v, want %v", line, got, err, want)
		}
	}
	for _, line := range []string{"'http://mirror/b.deb' b.deb 1 SHA256:06d0", "'http://mirror/b.deb' b_1%zz_all.deb 1 SHA256:06d0", "'http://mirror/b.deb' b_1_all.deb"} {
		if got, err := printedPackage(line); err == nil {
			t.Errorf("%s: got %v", line, got)
		}
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
