package build_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/build/buildtest"
	"github.com/treewright/treewright/builder/treetest"
)

// many writes a tree with the shipped features and flavours of two architectures.
func many(t testing.TB, n int) string {
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "features"), os.DirFS(filepath.Join(treetest.Shipped(t), "features"))); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("flavours:\n")
	for i := range n {
		fmt.Fprintf(&b, "  f%05d: {distribution: {suite: testing, arch: %s}, features: [ostreeImage, podman], set: {base: {hostname: h%d}}}\n", i, []string{"amd64", "arm64"}[i%2], i)
	}
	treetest.Write(t, filepath.Join(dir, "flavours/all.yaml"), b.String())
	return dir
}

// TestOutlinesAreTheSameEverywhere: outlines do not depend on the directory of the tree, the machine, its cache or its
// umask.
func TestOutlinesAreTheSameEverywhere(t *testing.T) {
	keys := func(dir, arch string) (all []string) {
		t.Helper()
		backend := buildtest.Backend()
		backend.Arch = arch
		b, err := build.Open(build.Options{Tree: dir, Backend: backend})
		if err != nil {
			t.Fatal(err)
		}
		project, _, err := b.Load()
		if err != nil {
			t.Fatal(err)
		}
		outlines, faults, err := b.Outlines(t.Context(), project, []string{"f00000", "f00001", "debian-testing-amd64-ostree", "debian-testing-arm64-ostree"})
		if err != nil || len(faults) > 0 {
			t.Fatal(err, faults)
		}
		for _, o := range outlines {
			for _, s := range o.Graph.Steps() {
				all = append(all, o.Name+" "+s.ID+" "+o.Graph.Key(s.ID))
			}
		}
		return all
	}
	here, there := many(t, 2), many(t, 2)
	flavours := os.DirFS(filepath.Join(treetest.Shipped(t), "flavours"))
	for _, dir := range []string{here, there} {
		if err := os.CopyFS(filepath.Join(dir, "flavours"), flavours); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(there, "features/base/pkg.include"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := keys(here, "amd64")
	_, s := resolved(t, build.Options{Tree: there, Backend: buildtest.Backend()}, "f00000")
	if _, err := must(build.Open(build.Options{Tree: there, Backend: buildtest.Backend()})).Build(t.Context(), build.Request{Subject: s}); err != nil {
		t.Fatal(err)
	}
	if after := keys(there, "arm64"); !slices.Equal(before, after) || len(before) < 100 {
		t.Errorf("%d keys are not the %d keys of another machine:\n%s\n%s", len(after), len(before), before, after)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
