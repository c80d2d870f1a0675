package config

import (
	"path"
	"slices"
	"strings"
)

// RemoteCacheForms are the forms of URLs of remote caches, for messages.
const RemoteCacheForms = "grpc://HOST:PORT[/INSTANCE], grpcs://HOST[:PORT][/INSTANCE] or oci://REGISTRY/REPOSITORY"

// remoteCacheSchemes are what such a URL begins with.
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

// readRemoteCache reads the block of the tree that is built. Those of trees that it uses do not count.
func (l *loader) readRemoteCache(b *remoteCacheBlock) {
	if b == nil {
		return
	}
	line := func(attr stringAttr) Line {
		t, diags := plain.str(attr)
		l.say(diags...)
		if t == nil || t.bad {
			return Line{}
		}
		return Line{Text: t.value, Range: t.at}
	}
	r := &RemoteCache{URL: line(b.URL), Authority: line(b.Authority), Certificate: line(b.Certificate), Key: line(b.Key)}
	push, diags := plain.boolean(b.Push)
	l.say(diags...)
	r.Push = push
	if b.URL == nil {
		l.say(Fault(b.Range, "Missing URL", "remote_cache needs url: %s.", RemoteCacheForms))
	} else if problem := RemoteCacheProblem(r.URL.Text); r.URL.Range.Filename != "" && problem != "" {
		l.say(Fault(r.URL.Range, "Invalid remote cache", "%q %s", r.URL.Text, problem))
	}
	if r.Key.Text != "" && !path.IsAbs(r.Key.Text) {
		l.say(Fault(r.Key.Range, "Invalid key", "%q is relative to the configuration tree, which must not contain private keys. Write the absolute path of a file of the machine that builds.", r.Key.Text))
	}
	if (r.Key.Text == "") != (r.Certificate.Text == "") {
		l.say(Fault(b.Range, "Half of a certificate", "certificate and key need each other."))
	}
	l.project.RemoteCache = r
}
