package build_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/build/buildtest"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/treetest"
)

// foreignTree is the small tree for arm64.
func foreignTree(t *testing.T) string {
	t.Helper()
	tree := small(t)
	path := filepath.Join(tree, "flavours/small.hcl")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	treetest.WriteAll(t, tree, map[string]string{"flavours/small.hcl": strings.Replace(string(text), `"amd64"`, `"arm64"`, 1)})
	return tree
}

// on returns a builder on an amd64 machine that answers with err when it is to run
// programs of another architecture, and what it was asked for.
func on(t *testing.T, tree string, err error) (*build.Builder, *[]string) {
	t.Helper()
	backend, asked := buildtest.Backend(), new([]string)
	backend.Emulate = func(_ context.Context, _ distro.Distro, arch, dir string, _ event.Sink) error {
		if _, err := os.Stat(dir); err != nil {
			t.Error(err)
		}
		*asked = append(*asked, arch)
		return err
	}
	b, oerr := build.Open(build.Options{Tree: tree, Jobs: 1, Backend: backend})
	if oerr != nil {
		t.Fatal(oerr)
	}
	return b, asked
}

// TestForeignArchitecture: what a machine lacks to run programs of another
// architecture keeps nobody from planning, nor from publishing what is in the cache; a
// build that it stops leaves nothing.
func TestForeignArchitecture(t *testing.T) {
	tree, lacks := foreignTree(t), errors.New("this machine lacks qemu")
	b, asked := on(t, tree, lacks)
	project, _, err := b.Load()
	if err != nil {
		t.Fatal(err)
	}
	s, err := b.Resolve(t.Context(), project, "small")
	if err != nil {
		t.Fatal(err)
	}
	p, err := b.Prepare(t.Context(), s, nil)
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
	if steps, err := b.Plan(t.Context(), p, nil); err != nil || len(steps) == 0 || len(*asked) > 0 {
		t.Errorf("the plan has %d steps, error %v; emulators were asked for: %v", len(steps), err, *asked)
	}

	made, err := b.Build(t.Context(), build.Request{Name: "small"})
	if !errors.Is(err, lacks) || made != nil || len(*asked) != 1 || (*asked)[0] != "arm64" {
		t.Errorf("error %v, asked for %v", err, *asked)
	}
	for _, dir := range []string{"small", ".private/small"} {
		if _, err := os.Stat(filepath.Join(tree, ".build", dir)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("a refused build left .build/%s: %v", dir, err)
		}
	}

	b, asked = on(t, tree, nil)
	if _, err := b.Build(t.Context(), build.Request{Name: "small"}); err != nil || len(*asked) != 1 {
		t.Fatalf("error %v, asked for %v", err, *asked)
	}
	b, asked = on(t, tree, lacks)
	if _, err := b.Build(t.Context(), build.Request{Name: "small"}); err != nil || len(*asked) > 0 {
		t.Errorf("nothing was to be run: error %v, asked for %v", err, *asked)
	}
	// A shell is a program of the tree.
	if _, _, err := b.Inside(t.Context(), s, "", nil); !errors.Is(err, lacks) {
		t.Errorf("a shell in the tree: %v", err)
	}
}

// TestOwnArchitecture: no emulator is asked for where none is needed.
func TestOwnArchitecture(t *testing.T) {
	b, asked := on(t, small(t), errors.New("this machine lacks qemu"))
	if _, err := b.Build(t.Context(), build.Request{Name: "small"}); err != nil || len(*asked) > 0 {
		t.Errorf("error %v, asked for %v", err, *asked)
	}
}

// TestToolsOfThisMachine: tools for a system of another architecture are of this
// machine's; what is data to them is the system's. The system's own steps, and what goes
// into its commit, are the same wherever they are planned.
func TestToolsOfThisMachine(t *testing.T) {
	t.Run("arm64 on amd64", func(t *testing.T) { toolsOfThisMachine(t, "arm64", "amd64") })
	t.Run("amd64 on arm64", func(t *testing.T) { toolsOfThisMachine(t, "amd64", "arm64") })
}

// toolsOfThisMachine plans an image for system on a machine of that architecture and of
// the other one.
func toolsOfThisMachine(t *testing.T, system, other string) {
	data := "grub-efi-" + system + "-bin"
	tree := small(t)
	treetest.WriteAll(t, tree, map[string]string{
		"features/image/info.yaml": imageFeature,
		"flavours/image.yaml":      "flavours:\n  image:\n    distribution: {suite: testing, arch: " + system + "}\n    features: [base, repo, image]\n",
	})
	planned := func(own string) *build.Prepared {
		t.Helper()
		backend := buildtest.Backend()
		backend.Arch = own
		b, s := resolved(t, build.Options{Tree: tree, Backend: backend}, "image")
		p, err := b.Prepare(t.Context(), s, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.Close() })
		return p
	}
	native, crossed := planned(system), planned(other)

	tools := crossed.Packages.Tools[distro.ForImage]
	if tools.From == nil || tools.From.Arch != other || tools.From.Suite != "testing" || tools.Data == nil || strings.Join(tools.Data.Names(), " ") != data {
		t.Errorf("the tools are from %+v, their data %+v", tools.From, tools.Data)
	}
	if names := tools.Packages.Names(); !slices.Contains(names, "grub-common") || slices.Contains(names, data) {
		t.Errorf("the tools are %v", names)
	}
	if own := native.Packages.Tools[distro.ForImage]; own.From != nil || own.Data != nil || !slices.Contains(own.Packages.Names(), data) {
		t.Errorf("on a machine of the system's own architecture the tools are %v, from %+v, their data %+v", own.Packages.Names(), own.From, own.Data)
	}
	for _, s := range crossed.Graph.Steps() {
		want := system
		if s.Stage == "tools" || strings.HasPrefix(s.ID, "packages/") && (strings.HasSuffix(s.ID, "-"+other) || strings.HasSuffix(s.ID, "-tools")) {
			want = other
		}
		if s.Arch != want {
			t.Errorf("%s is of %s, want %s", s.ID, s.Arch, want)
		}
		if s.Stage == "rootfs" && native.Graph.Key(s.ID) != crossed.Graph.Key(s.ID) {
			t.Errorf("%s has another key on another machine", s.ID)
		}
	}
	if esp := crossed.Graph.Step("image/esp").Tools; esp != "tools/unpack-image-data" {
		t.Errorf("the ESP is made by %s", esp)
	}
	if a, b := string(native.Graph.Step("commit/commit").Params), string(crossed.Graph.Step("commit/commit").Params); a != b {
		t.Errorf("commits differ:\n%s\n%s", a, b)
	}
}
