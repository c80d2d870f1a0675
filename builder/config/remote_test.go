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

// TestRemoteExec: a tree names its server for remote execution, and faults of the block have their places.
func TestRemoteExec(t *testing.T) {
	const forms = "write grpc://HOST:PORT[/INSTANCE] or grpcs://HOST[:PORT][/INSTANCE]"
	for block, want := range map[string]string{
		`url = "grpcs://exec.example.org"`: "",
		`url = "grpc://h:1/main", platform = ["container-image=docker://x", "arm64:Pool=arm", "OSFamily="]`: "",
		`url = "grpcs://h", certificate = "me.pem", key = "/etc/ssl/private/me", authority = "ca.pem"`:      "",
		`url = "grcp://h:1"`:                      `treewright.hcl:1: Invalid URL: "grcp://h:1" is not the URL of a server of the Remote Execution API: ` + forms + `. Did you mean "grpc"?`,
		`platform = ["a=b"]`:                      "treewright.hcl:1: Missing URL: remote_exec needs url: " + strings.TrimPrefix(forms, "write ") + ".",
		`url = "oci://registry.example/cache"`:    `treewright.hcl:1: Invalid URL: "oci://registry.example/cache" is a registry, which cannot carry out steps: ` + forms + ".",
		`url = "https://exec.example"`:            `treewright.hcl:1: Invalid URL: "https://exec.example" is not the URL of a server of the Remote Execution API: ` + forms + ".",
		`url = "grpc://h:1", platform = ["fast"]`: `treewright.hcl:1: Invalid property: "fast" is not a property of workers: write NAME=VALUE, or ARCHITECTURE:NAME=VALUE.`,
		`url = "grpc://h:1", platform = ["=x"]`:   `treewright.hcl:1: Invalid property: "=x" is not a property of workers: `,
		`url = "grpcs://h", key = "/k"`:           "treewright.hcl:1: Half of a certificate: certificate and key need each other.",
		`url = "grpc://h:1", platforms = ["a=b"]`: `treewright.hcl:1: Unknown field: There is no field "platforms" here. Did you mean "platform"?`,
		`url = "grpc://h:1", push = true`:         `treewright.hcl:1: Unknown field: There is no field "push" here.`,
	} {
		text := "remote_exec {\n" + regexp.MustCompile(`, ([a-z]+ =)`).ReplaceAllString(block, "\n$1") + "\n}"
		p, got := summaries(t, files("treewright.hcl", text), nil)
		for i := range got {
			got[i] = lineless.ReplaceAllString(got[i], "treewright.hcl:1:")
		}
		if all := strings.Join(got, "\n"); want == "" && all != "" || !strings.HasPrefix(all, want) {
			t.Errorf("%s:\n%s\nwant\n%s", block, all, want)
		}
		if want != "" {
			continue
		}
		if p.RemoteExec == nil || !strings.Contains(block, p.RemoteExec.URL.Text) || p.RemoteCache != nil {
			t.Errorf("%s: read as %+v", block, p.RemoteExec)
		} else if wanted := strings.Count(block, "=") > 3 && strings.Contains(block, "platform"); wanted != (len(p.RemoteExec.Platform) == 3) {
			t.Errorf("%s: the properties are %v", block, p.RemoteExec.Platform)
		}
	}
}

// TestParseProperty: a property is for the steps of one architecture, or for all steps.
func TestParseProperty(t *testing.T) {
	for text, want := range map[string]Property{
		"a=b": {Name: "a", Value: "b"}, "arm64:a=b:c=d": {"arm64", "a", "b:c=d"}, "a=": {Name: "a"}, "a=docker://x:1": {Name: "a", Value: "docker://x:1"},
	} {
		if got, problem := ParseProperty(text); problem != "" || got != want {
			t.Errorf("%q is %+v %s", text, got, problem)
		}
	}
	for _, text := range []string{"", "a", "=b", "arm64:=b", "a=b\n"} {
		if _, problem := ParseProperty(text); problem == "" {
			t.Errorf("%q is a property", text)
		}
	}
}
