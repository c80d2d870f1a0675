package build

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/remote"
)

// shared returns the remote cache of a tree, nil for a tree without one. The first call opens it. Later failures
// are one warning.
func (b *Builder) shared(project *config.Project, r reporter) (*remote.Shared, error) {
	access, push, err := b.access(project)
	if err != nil || access == nil {
		return nil, err
	}
	b.remote.mu.Lock()
	defer b.remote.mu.Unlock()
	b.remote.warn = r.warn
	if b.remote.opened {
		return b.remote.shared, nil
	}
	if b.options.Offline {
		b.remote.opened = true
		r.note("the remote cache %s is not asked, because this build is offline", access.URL)
		return nil, nil
	}
	cache, err := b.backend.OpenRemote(*access, filepath.Join(b.options.Cache, "store", "drafts"))
	if err != nil {
		return nil, serverFault(project, b.options.Remote.URL, func() hcl.Range { return project.RemoteCache.URL.Range }, cacheFault, err) // it names the cache
	}
	b.remote.opened = true
	b.remote.shared = remote.NewShared(cache, access.URL, push, func(line string) {
		b.remote.mu.Lock()
		warn := b.remote.warn
		b.remote.mu.Unlock()
		warn(line)
	})
	return b.remote.shared, nil
}

// checkServers finds faults in the blocks of a tree that name servers. It does not connect to them.
func (b *Builder) checkServers(project *config.Project) error {
	all := &diag.Faults{Files: project.Files}
	var other error
	check := func(named *config.RemoteServer, title string, open func(access remote.Access) (io.Closer, error)) {
		access, err := b.server(project, "", named)
		if err == nil {
			var server io.Closer
			if server, err = open(*access); err == nil {
				err = server.Close()
			} else {
				err = serverFault(project, "", func() hcl.Range { return named.URL.Range }, title, err)
			}
		}
		var found *diag.Faults
		if errors.As(err, &found) {
			all.List = append(all.List, found.List...)
		} else {
			other = errors.Join(other, err)
		}
	}
	if named := project.RemoteCache; named != nil {
		check(&named.RemoteServer, cacheFault, func(access remote.Access) (io.Closer, error) { return b.backend.OpenRemote(access, os.TempDir()) })
	}
	if named := project.RemoteExec; named != nil {
		check(&named.RemoteServer, execFault, func(access remote.Access) (io.Closer, error) { return b.backend.OpenExec(access) })
	}
	if len(all.List) > 0 {
		return all
	}
	return other
}

// These are the titles of faults of servers that a tree names.
const (
	cacheFault = "Cannot use remote cache"
	execFault  = "Cannot use remote execution"
)

// serverFault returns an error with the place at which the tree names the server. If an option names the server, url is not "", and the
// error does not have a place. at returns the place.
func serverFault(project *config.Project, url string, at func() hcl.Range, title string, err error) error {
	if url != "" {
		return diag.Requestf("%v", err)
	}
	return &diag.Faults{Files: project.Files, List: hcl.Diagnostics{config.Fault(at(), title, "%v.", err)}}
}

// access returns how to get into the cache, nil for a tree without one, and whether results are put there.
func (b *Builder) access(project *config.Project) (access *remote.Access, push bool, err error) {
	o := b.options.Remote
	if b.options.Again {
		return nil, false, nil
	}
	if o.URL == NoRemote {
		if o.Push || o.Verify > 0 {
			return nil, false, diag.Requestf("--remote-push and --verify-remote need a remote cache, and --remote-cache %s (or $TREEWRIGHT_REMOTE_CACHE) names none", NoRemote)
		}
		return nil, false, nil
	}
	if o.URL != "" {
		if problem := config.RemoteCacheProblem(o.URL); problem != "" {
			return nil, false, diag.Requestf("the remote cache %q %s", o.URL, problem)
		}
	}
	named := project.RemoteCache
	if named == nil {
		if o.URL == "" {
			if o.Push || o.Verify > 0 {
				return nil, false, diag.Requestf("neither --remote-cache nor treewright.hcl names a remote cache: write --remote-cache URL")
			}
			return nil, false, nil
		}
		named = &config.RemoteCache{}
	}
	access, err = b.server(project, o.URL, &named.RemoteServer)
	return access, o.Push || named.Push && access.URL == named.URL.Text, err
}

// server returns the access to a server. url is the URL of an option, or "" for the server of the tree. named describes the server of the
// tree.
func (b *Builder) server(project *config.Project, url string, named *config.RemoteServer) (*remote.Access, error) {
	access := &remote.Access{URL: url, Helper: b.options.Remote.Helper}
	// Certificates are for the server that is named beside them.
	if url != "" && url != named.URL.Text {
		return access, nil
	}
	access.URL = named.URL.Text
	var faults hcl.Diagnostics
	for _, f := range []struct {
		line config.Line
		to   *string
	}{{named.Authority, &access.Authority}, {named.Certificate, &access.Certificate}, {named.Key, &access.Key}} {
		if *f.to = f.line.Text; f.line.Text == "" {
			continue
		}
		if !filepath.IsAbs(f.line.Text) {
			*f.to = filepath.Join(b.options.Tree, f.line.Text)
		}
		if _, err := os.Stat(*f.to); err != nil {
			faults = append(faults, config.Fault(f.line.Range, "Cannot read file", "%v.", err))
		}
	}
	if faults.HasErrors() {
		return nil, &diag.Faults{Files: project.Files, List: faults}
	}
	return access, nil
}

// pull brings results of a plan into the cache that the remote one has.
func (b *Builder) pull(ctx context.Context, e *engine.Engine, p *Prepared, targets []string, r reporter) (pulled []string, err error) {
	if e.Cache == nil {
		return nil, nil
	}
	err = r.phase("pull results from "+e.Cache.URL(), func() (err error) {
		pulled, err = e.Pull(ctx, p.Graph, targets)
		return err
	})
	return pulled, err
}

// verifyPulled makes a share of the results that were pulled here again, whatever it takes, and returns an error
// if one is not the same. That one does not count any more, nor do the others that were not compared.
func (b *Builder) verifyPulled(ctx context.Context, e *engine.Engine, p *Prepared, pulled []string, r reporter) error {
	share := b.options.Remote.Verify
	switch {
	case share == 0 || e.Cache == nil:
		return nil
	case len(pulled) == 0:
		r.note("no result came from %s, so none was compared", e.Cache.URL())
		return nil
	}
	chosen := slices.Clone(pulled)
	rand.Shuffle(len(chosen), func(i, k int) { chosen[i], chosen[k] = chosen[k], chosen[i] })
	chosen = chosen[:(len(chosen)*share+99)/100]
	for _, id := range chosen {
		same, err := e.Reproduces(ctx, p.Graph, id)
		if err != nil {
			return fmt.Errorf("make %s again, to compare it with the result of %s: %w", id, e.Cache.URL(), err)
		}
		if !same {
			return fmt.Errorf("the result of %s that %s gave is not the one that is made here: the cache cannot be trusted, or the step does not give the same bytes each time (verify shows that). Neither it nor the other results that this build took from there and did not compare are used any more; --remote-cache %s builds without the cache", id, e.Cache.URL(), NoRemote)
		}
	}
	r.note("of %s from %s, %d were made here again and are the same", diag.Counted(len(pulled), "result"), e.Cache.URL(), len(chosen))
	return nil
}
