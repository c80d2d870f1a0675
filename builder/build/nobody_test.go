package build_test

import (
	"context"
	"testing"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/build/buildtest"
)

// TestNobodyWantsToKnow: each stop on the way works without a sink.
func TestNobodyWantsToKnow(t *testing.T) {
	ctx := context.Background()
	b, err := build.Open(build.Options{Tree: small(t), Cache: t.TempDir(), Output: t.TempDir(), Backend: buildtest.Backend()})
	if err != nil {
		t.Fatal(err)
	}
	project, _, err := b.Load()
	if err != nil {
		t.Fatal(err)
	}
	s, err := b.Resolve(ctx, project, "small")
	if err != nil {
		t.Fatal(err)
	}
	p, err := b.Prepare(ctx, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Plan(t.Context(), p, nil); err != nil {
		t.Error(err)
	}
	if _, err := b.Run(ctx, p, nil, p.Graph.Targets()); err != nil {
		t.Error(err)
	}
	p.Close()
	made, err := b.Publish(ctx, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	made.Close()
}
