package config

import (
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2"
)

// RemoteCacheForms lists the forms of URLs of remote caches, for messages.
const RemoteCacheForms = "grpc://HOST:PORT[/INSTANCE], grpcs://HOST[:PORT][/INSTANCE] or oci://REGISTRY/REPOSITORY"

// remoteCacheSchemes are the schemes of such URLs.
var remoteCacheSchemes = []string{"grpc", "grpcs", "oci"}

// RemoteCacheProblem returns the fault of the URL of a remote cache, as the end of a sentence; "" if its form is
// right. The clients check the rest.
func RemoteCacheProblem(url string) string {
	scheme, rest, ok := strings.Cut(url, "://")
	switch {
	case !ok || rest == "":
		return "is not the URL of a remote cache: write " + RemoteCacheForms + "."
	case scheme == "http" || scheme == "https":
		return "is not the URL of a remote cache: write " + RemoteCacheForms + "; for a registry oci://" + rest + "."
	case !slices.Contains(remoteCacheSchemes, scheme):
		return "is not the URL of a remote cache: write " + RemoteCacheForms + "." + DidYouMean(scheme, remoteCacheSchemes)
	}
	return ""
}

// RemoteExecForms lists the forms of URLs of servers for remote execution, for messages.
const RemoteExecForms = "grpc://HOST:PORT[/INSTANCE] or grpcs://HOST[:PORT][/INSTANCE]"

// RemoteExecProblem is [RemoteCacheProblem] for the URL of a server for remote execution.
func RemoteExecProblem(url string) string {
	scheme, _, _ := strings.Cut(url, "://")
	switch problem := RemoteCacheProblem(url); {
	case strings.HasPrefix(url, "oci://"):
		return "is a registry, which cannot carry out steps: write " + RemoteExecForms + "."
	case problem != "":
		return "is not the URL of a server of the Remote Execution API: write " + RemoteExecForms + "." + DidYouMean(scheme, []string{"grpc", "grpcs"})
	}
	return ""
}

// Property is a property that workers must have.
type Property struct {
	// Arch is the architecture of the steps that need the property, "" for all steps. An empty Value leaves the property out.
	Arch, Name, Value string
}

// workerArchs are the architectures that systems can have.
var workerArchs = []string{"amd64", "arm64"}

// ParseProperty reads [ARCHITECTURE:]NAME=VALUE. problem is the fault of the text, as the end of a sentence; "" if the text is right.
func ParseProperty(text string) (p Property, problem string) {
	name, value, ok := strings.Cut(text, "=")
	if arch, rest, both := strings.Cut(name, ":"); both {
		p.Arch, name = arch, rest
	}
	if p.Name, p.Value = name, value; !ok || name == "" || strings.ContainsFunc(text, unicode.IsControl) {
		return p, "is not a property of workers: write NAME=VALUE, or ARCHITECTURE:NAME=VALUE."
	}
	if p.Arch != "" && !slices.Contains(workerArchs, p.Arch) {
		return p, "is for the unknown architecture " + p.Arch + ": write amd64:NAME=VALUE or arm64:NAME=VALUE." + DidYouMean(p.Arch, workerArchs)
	}
	return p, ""
}

// readRemoteCache reads the block of the tree that is built. It ignores the blocks of trees that this tree uses.
func (l *loader) readRemoteCache(b *remoteCacheBlock) {
	if b == nil {
		return
	}
	r := &RemoteCache{RemoteServer: l.readServer(b.URL, b.Authority, b.Certificate, b.Key, b.Range)}
	push, diags := plain.boolean(b.Push)
	l.say(diags...)
	r.Push = push
	l.checkURL(r.URL, b.URL != nil, b.Range, "remote_cache", RemoteCacheForms, RemoteCacheProblem)
	l.project.RemoteCache = r
}

// readRemoteExec is readRemoteCache for the block remote_exec.
func (l *loader) readRemoteExec(b *remoteExecBlock) {
	if b == nil {
		return
	}
	r := &RemoteExec{RemoteServer: l.readServer(b.URL, b.Authority, b.Certificate, b.Key, b.Range), Platform: l.lines(b.Platform)}
	l.checkURL(r.URL, b.URL != nil, b.Range, "remote_exec", RemoteExecForms, RemoteExecProblem)
	for _, line := range r.Platform {
		if _, problem := ParseProperty(line.Text); problem != "" {
			l.say(Fault(line.Range, "Invalid property", "%q %s", line.Text, problem))
		}
	}
	l.project.RemoteExec = r
}

// checkURL finds the faults of the URL of a block.
func (l *loader) checkURL(url Line, written bool, block hcl.Range, name, forms string, problem func(url string) string) {
	if !written {
		l.say(Fault(block, "Missing URL", "%s needs url: %s.", name, forms))
	} else if problem := problem(url.Text); url.Range.Filename != "" && problem != "" {
		l.say(Fault(url.Range, "Invalid URL", "%q %s", url.Text, problem))
	}
}

// readServer reads the fields that remote_cache and remote_exec both have.
func (l *loader) readServer(url, authority, certificate, key stringAttr, block hcl.Range) RemoteServer {
	line := func(attr stringAttr) Line {
		t, diags := plain.str(attr)
		l.say(diags...)
		if t == nil || t.bad {
			return Line{}
		}
		return Line{Text: t.value, Range: t.at}
	}
	r := RemoteServer{URL: line(url), Authority: line(authority), Certificate: line(certificate), Key: line(key)}
	if r.Key.Text != "" && !path.IsAbs(r.Key.Text) {
		l.say(Fault(r.Key.Range, "Invalid key", "%q is relative to the configuration tree, which must not contain private keys. Write the absolute path of a file of the machine that builds.", r.Key.Text))
	}
	if (r.Key.Text == "") != (r.Certificate.Text == "") {
		l.say(Fault(block, "Half of a certificate", "certificate and key need each other."))
	}
	return r
}
