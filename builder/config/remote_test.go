package config

import (
	"regexp"
	"strings"
	"testing"
)

var lineless = regexp.MustCompile(`^treewright.hcl:\d+:`)

// TestRemoteCache: a tree names its remote cache, and faults of the block have their places.
func TestRemoteCache(t *testing.T) {
	const forms = "write grpc://HOST:PORT[/INSTANCE], grpcs://HOST[:PORT][/INSTANCE] or oci://REGISTRY/REPOSITORY"
	for block, want := range map[string]string{
		`url = "oci://registry.example.org/cache"`:                               "",
		`url = "grpcs://cache.example.org", push = true, authority = "ca.pem"`:   "",
		`url = "grpcs://h", certificate = "me.pem", key = "/etc/ssl/private/me"`: "",
		`push = true`:                                     "treewright.hcl:1: Missing URL: remote_cache needs url: " + strings.TrimPrefix(forms, "write ") + ".",
		`url = "https://registry.example/x"`:              `treewright.hcl:1: Invalid URL: "https://registry.example/x" is not the URL of a remote cache: ` + forms + "; for a registry oci://registry.example/x.",
		`url = "grcp://h:1"`:                              `treewright.hcl:1: Invalid URL: "grcp://h:1" is not the URL of a remote cache: ` + forms + `. Did you mean "grpc"?`,
		`url = "h:1"`:                                     `treewright.hcl:1: Invalid URL: "h:1" is not the URL of a remote cache: ` + forms + ".",
		`url = "grpcs://h", certificate = "c"`:            "treewright.hcl:1: Half of a certificate: certificate and key need each other.",
		`url = "grpcs://h", certificate = "c", key = "k"`: `treewright.hcl:1: Invalid key: "k" is relative to the configuration tree, which must not contain private keys. Write the absolute path of a file of the machine that builds.`,
		`url = "grpc://h:1", pull = false`:                `treewright.hcl:1: Unknown field: There is no field "pull" here. Did you mean "push"?`,
	} {
		text := "remote_cache { " + strings.ReplaceAll(block, ", ", "\n") + "\n}"
		p, got := summaries(t, files("treewright.hcl", strings.ReplaceAll(text, "remote_cache { ", "remote_cache {\n")), nil)
		for i := range got {
			got[i] = lineless.ReplaceAllString(got[i], "treewright.hcl:1:")
		}
		if all := strings.Join(got, "\n"); want == "" && all != "" || !strings.HasPrefix(all, want) {
			t.Errorf("%s:\n%s\nwant\n%s", block, all, want)
		}
		if want == "" && (p.RemoteCache == nil || !strings.Contains(block, p.RemoteCache.URL.Text) || p.RemoteCache.Push != strings.Contains(block, "push")) {
			t.Errorf("%s: read as %+v", block, p.RemoteCache)
		}
	}
}
