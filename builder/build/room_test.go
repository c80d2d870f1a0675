package build

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/cache"
	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/source"
)

// roomPlan is a plan with packages of which each takes size bytes to download and
// as much installed, and an image.
func roomPlan(t *testing.T, size int64) (*Builder, *Prepared) {
	t.Helper()
	root := t.TempDir()
	b := &Builder{options: Options{Tree: root, Cache: filepath.Join(root, "cache"), Output: filepath.Join(root, "out")}}
	kept, err := cache.Open(b.options.Cache)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kept.Store.Close)
	stanza := fmt.Sprintf("Package: a\nVersion: 1\nArchitecture: amd64\nFilename: pool/a.deb\nSize: %d\nInstalled-Size: %d\nSHA256: %s\n", size, size>>10, strings.Repeat("ab", 32))
	src, err := source.Snapshots{Root: filepath.Join(b.options.Cache, "sources")}.ImportBytes("index", "Packages", []byte(stanza))
	if err != nil {
		t.Fatal(err)
	}
	g := &plan.Graph{}
	for _, s := range []plan.Step{
		{ID: "packages/system", Stage: "packages", Action: "fetch", Sources: []plan.Source{src}, Output: plan.Dir},
		{ID: "rootfs/install-system", Stage: "rootfs", Action: "install", Inputs: map[string]string{"repo": "packages/system"}, Output: plan.Layer},
		{ID: "rootfs/script", Stage: "rootfs", Action: "script", Base: "rootfs/install-system", Output: plan.Layer},
		{ID: "image/disk", Stage: "image", Action: "disk", Base: "rootfs/script", Output: plan.Dir, Artifacts: []plan.Artifact{{Name: "f.raw", Path: "f.raw", Kind: plan.FileArtifact}}},
	} {
		if err := g.Add(s); err != nil {
			t.Fatal(err)
		}
	}
	return b, &Prepared{
		Subject: &Subject{Spec: &compose.Spec{Flavour: &config.Flavour{Name: "f"}}}, Graph: g, Cache: kept,
		Output: publish.OutputOf(b.options.Output, "f"), distro: Families[0],
	}
}

func TestDemand(t *testing.T) {
	const mib = 1 << 20
	b, p := roomPlan(t, 400*mib)
	all := []string{"packages/system", "rootfs/install-system", "rootfs/script", "image/disk"}
	if got, want := p.demand(all), (demand{cache: (400 + 300 + 100) * mib, output: 100 * mib}); got != want {
		t.Errorf("a first build takes %+v, want %+v", got, want)
	}
	if got, want := p.demand(all[2:]), (demand{}); got != want {
		t.Errorf("what follows the packages takes %+v, want %+v", got, want)
	}
	// What is there is not downloaded again.
	have := filepath.Join(b.options.Cache, "packages/sha256/ab", strings.Repeat("ab", 32))
	if err := errors.Join(os.MkdirAll(filepath.Dir(have), 0o755), os.WriteFile(have, nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	if got := p.demand(all[:1]); got != (demand{}) {
		t.Errorf("a download that is there takes %+v", got)
	}
	// The last build tells more: of the install step at most what the index says.
	keys := map[string]string{}
	for id, size := range map[string]int{"rootfs/install-system": 8, "rootfs/script": 4, "image/disk": 2} {
		d, err := p.Cache.Store.Begin(p.Graph.Key(id))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.WriteFile(filepath.Join(d.Data, "file"), make([]byte, size*mib), 0o644), d.Commit(layer.Result{Step: id})); err != nil {
			t.Fatal(err)
		}
		keys[id] = p.Graph.Key(id)
	}
	if _, _, err := p.Cache.Settle("f", keys, nil, -1); err != nil {
		t.Fatal(err)
	}
	got := p.demand(all)
	if near := got.cache / mib; near != 8+2+1 || got.output/mib != 1 {
		t.Errorf("a later build takes %+v, want 11 MiB and 1", got)
	}
}

// TestCheckRoom: what cannot fit on any disk stops the build, after all in the
// cache that nobody uses was given for it.
func TestCheckRoom(t *testing.T) {
	sink := &recorder{}
	r := reporter{sink}
	all := []string{"packages/system", "rootfs/install-system", "rootfs/script", "image/disk"}

	b, p := roomPlan(t, 1<<20)
	if err := b.checkRoom(p, all, r); err != nil || len(sink.lines) > 0 {
		t.Errorf("a build of 1 MiB: %v, said %q", err, sink.lines)
	}
	b, p = roomPlan(t, 1<<54)
	if err := b.checkRoom(p, nil, r); err != nil || len(sink.lines) > 0 {
		t.Errorf("a build of nothing: %v, said %q", err, sink.lines)
	}
	old := filepath.Join(b.options.Cache, "history/old")
	used := p.Graph.Step("packages/system").Sources[0].Path
	if err := errors.Join(os.MkdirAll(old, 0o755), os.WriteFile(filepath.Join(old, "file"), make([]byte, 1<<20), 0o644), p.Cache.Rely(used)); err != nil {
		t.Fatal(err)
	}
	err := b.checkRoom(p, all, r)
	var host *diag.Host
	if !errors.As(err, &host) || !strings.Contains(err.Error(), "no step was run") || !strings.Contains(err.Error(), "are missing; free space there, or put the cache on another disk with --cache DIR") {
		t.Errorf("error %v", err)
	}
	if len(sink.lines) != 1 || !strings.Contains(sink.lines[0], "removed from the cache because the disk has too little space: 1 part") {
		t.Errorf("said %q", sink.lines)
	}
	if exists(old) || !exists(used) {
		t.Errorf("what nobody uses is there: %v; what this build uses: %v", exists(old), exists(used))
	}
}

// TestKept: some results stay of steps that run after most changes, and all results with packages.
func TestKept(t *testing.T) {
	image := []plan.Artifact{{Name: "f.raw", Kind: plan.FileArtifact}}
	for want, steps := range map[int][]plan.Step{
		0: {{Stage: "packages", Action: "fetch"}, {Stage: "tools", Action: "install"}, {Stage: "rootfs", Action: "bootstrap"}, {Stage: "rootfs", Action: "install"}},
		2: {{Stage: "image", Artifacts: image}, {Stage: "commit", Artifacts: image, Recorded: true}},
		4: {{Stage: "rootfs", Action: "script"}, {Stage: "commit", Action: "ostree-commit"}, {Stage: "commit", Action: "initramfs", Recorded: true}, {Stage: "extension", Action: "install", Recorded: true}},
	} {
		for _, s := range steps {
			if got := kept(&s); got != want {
				t.Errorf("of the action %s in the stage %s %d results are kept, want %d", s.Action, s.Stage, got, want)
			}
		}
	}
}
