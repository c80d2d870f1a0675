package cli

import (
	"net/url"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/vm"
)

// repositoryOf is the name of the repository that a manifest lists, "" if none.
func repositoryOf(m *engine.Manifest) string {
	for _, a := range m.Artifacts {
		if a.Kind == plan.RepositoryArtifact {
			return a.Name
		}
	}
	return ""
}

// address returns where to serve so that the machine's own remote leads there,
// and the URL by which the machine sees it.
func (b *testBench) address() (listen, base string, err error) {
	port := defaultPort
	if b.next != nil {
		f := b.Subject.Spec.StageFeature("commit")
		remote := b.Subject.Spec.Parameters[f.Name]["remote_url"].String()
		u, err := url.Parse(remote)
		if remote != "" && (err != nil || u.Scheme != "http" || u.Hostname() != guestHost) {
			return "", "", usagef("to test an upgrade, the machine must follow what this one serves: leave remote_url of %s unset, or set it to http://%s:%s/%s, not %q, in a flavour that extends this one if need be",
				f.Name, guestHost, defaultPort, b.repository(), remote)
		}
		if remote != "" && u.Port() != "" {
			port = u.Port()
		}
	}
	return "127.0.0.1:" + port, "http://" + guestHost + ":" + port, nil
}

// guestHost is what QEMU's user network calls the machine that it runs on.
const guestHost = "10.0.2.2"

// remoteOf is what a machine of a flavour is told to follow: what is served to
// it from base; nil if its image follows something.
func remoteOf(spec *compose.Spec, base, repository string) *vm.Remote {
	f := spec.StageFeature("commit")
	if f == nil || repository == "" || spec.Parameters[f.Name]["remote_url"].String() != "" {
		return nil
	}
	return &vm.Remote{Name: spec.Parameters[f.Name]["remote_name"].String(), URL: base + "/" + spec.Flavour.Name + "/" + repository}
}
