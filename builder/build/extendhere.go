package build

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/extend"
	"github.com/treewright/treewright/builder/ostree"
)

// HereRequest asks for an image for a commit that this machine has.
type HereRequest struct {
	// Repo is the absolute path of the machine's repository, and Commit a whole checksum.
	Repo, Commit string
	Packages     []string
	// Scratch is the absolute path of an empty directory on a disk. The caller removes it.
	Scratch string
	// Pool is the pool of the commit; nil without one.
	Pool *HerePool
	// Sink gets the events; nil discards them. It is not closed.
	Sink event.Sink
}

// HerePool is the pool of a commit, as a machine has it.
type HerePool struct {
	// Dir is the absolute path of a directory in the form of [extend.PoolDir]. The caller has checked the index of the pool.
	Dir string
	// Bring puts packages that are needed into the directory. Their content is checked later.
	Bring func(ctx context.Context, packages []PoolFile) error
}

// ExtendHere is [Builder.Extend] on a machine without a configuration tree: packages come from the machine's own sources, and the tools
// that pack the image from the commit. Nothing is signed. All files that it makes are in the scratch directory.
func ExtendHere(ctx context.Context, q HereRequest) (*Extended, error) {
	r := reporter{heard(q.Sink)}
	ctx = event.Within(ctx, r.Sink)
	tree := filepath.Join(q.Scratch, "tree")
	notes, err := writeHere(tree)
	if err != nil {
		return nil, err
	}
	for _, n := range notes {
		r.warn(n)
	}
	b, err := Open(Options{Tree: tree, Cache: filepath.Join(q.Scratch, "cache"), Output: filepath.Join(q.Scratch, "output")})
	if err != nil {
		return nil, err
	}
	project, _, err := b.Load()
	if err != nil {
		return nil, err
	}
	base := &extendedCommit{sum: q.Commit}
	if q.Pool != nil {
		base.pools, base.bring = q.Pool.Dir, q.Pool.Bring
	}
	if base.flavour, err = b.Resolve(ctx, project, hereFlavour); err != nil {
		return nil, err
	}
	if base.repo, err = ostree.OpenToRead(q.Repo); err != nil {
		return nil, err
	}
	if err := base.read(); err != nil {
		return nil, err
	}
	if _, err := base.root.Lookup(signedOnlyProgram); err == nil {
		return nil, &extend.Failure{Reason: extend.Unfit, Text: "this machine merges signed images only, and what is made here is not signed: only a server with the key can make the image"}
	}
	have, err := base.packages(Families[0].Database())
	if err != nil {
		return nil, err
	}
	if s := base.above(base.request(q.Packages)); !base.hasTools(s.Spec, s.Method, Families[0], have) {
		return nil, diag.Hostf("commit %.12s does not have the programs that pack an image: build it with the feature layering", q.Commit)
	}
	out, err := b.extend(ctx, base, q.Packages, r)
	return out, base.withoutTree(err)
}

// withoutTree describes faults without places in the tree and in the scratch directory: the machine's users do not know the tree, and both are
// removed.
func (c *extendedCommit) withoutTree(err error) error {
	var faults *diag.Faults
	var unfit *extend.Failure
	if errors.As(err, &unfit) {
		return &extend.Failure{Reason: unfit.Reason, Text: unfit.Text}
	}
	if !errors.As(err, &faults) {
		return err
	}
	text := "the sources of packages in /etc/apt: "
	if len(c.pool) > 0 {
		text = fmt.Sprintf("the pool of commit %.12s does not have all packages that are needed, and %s", c.sum, text)
	}
	for i, d := range faults.List {
		if i > 0 {
			text += "\n"
		}
		text += d.Detail
	}
	return diag.Hostf("%s", text)
}

// signedOnlyProgram is in commits whose machines merge signed extensions only; see the parameter extension_policy of the feature base.
const signedOnlyProgram = "usr/lib/treewright/only-images"

// hereFlavour is the name of the flavour that has the sources of a machine.
const hereFlavour = "this-machine"

// writeHere writes a configuration tree with a flavour that has the machine's sources of packages.
func writeHere(tree string) (notes []string, err error) {
	for _, dir := range []string{"flavours", "features/commits", "keys"} {
		if err := os.MkdirAll(filepath.Join(tree, dir), 0o755); err != nil {
			return nil, err
		}
	}
	kept := 0
	sources, notes, err := Families[0].MachineSources("/", func(text string) (string, error) {
		kept++
		file := filepath.Join(tree, "keys", fmt.Sprintf("%d.asc", kept))
		return file, os.WriteFile(file, []byte(text), 0o644)
	})
	if err != nil {
		return nil, fmt.Errorf("read the sources of packages: %w", err)
	}
	if len(sources) == 0 {
		return nil, diag.Hostf("%s", strings.Join(append([]string{"this machine has no source of packages in /etc/apt"}, notes...), "; "))
	}
	// JSON is YAML.
	flavour, err := json.Marshal(map[string]any{"flavours": map[string]any{hereFlavour: map[string]any{"distribution": hereDistribution(sources), "features": []string{"commits"}}}})
	if err != nil {
		return nil, err
	}
	info := "type: platform\nstage: commit\nparameters: {os_name: {default: machine}, ref: {default: machine}, remote_name: {default: machine}}\n"
	for file, text := range map[string]string{"flavours/" + hereFlavour + ".yaml": string(flavour), "features/commits/info.yaml": info} {
		if err := os.WriteFile(filepath.Join(tree, file), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	return notes, nil
}

// hereDistribution is the block distribution for sources. All of them are written, so none is taken by default.
func hereDistribution(sources []distro.Source) map[string]any {
	// The suite of the whole system is the suite that the other sources add to.
	main := 0
	for i, s := range sources {
		if !s.Flat() && !strings.Contains(s.Suite, "-") && !strings.Contains(s.Suite, "/") {
			main = i
			break
		}
	}
	m := sources[main]
	d := map[string]any{
		"family": Families[0].Name(), "suite": m.Suite, "arch": runtime.GOARCH, "mirror": m.URL, "keyring": m.Keyring,
		"security": false, "updates": false, "backports": false,
	}
	if len(m.Components) > 0 {
		d["components"] = m.Components
	}
	others := map[string]any{}
	for i, s := range sources {
		if i == main {
			continue
		}
		o := map[string]any{"urls": []string{s.URL}, "suites": []string{s.Suite}, "keyring": s.Keyring}
		if len(s.Components) > 0 {
			o["components"] = s.Components
		}
		if len(s.Architectures) > 0 {
			o["architectures"] = s.Architectures
		}
		name := s.Name
		if name == distro.MainSource {
			name = "machine-first"
		}
		others[name] = o
	}
	if len(others) > 0 {
		d["sources"] = others
	}
	return d
}
