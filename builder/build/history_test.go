package build

import (
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/treetest"
)

// TestPackagesFromTheFuture: no commit is published that no build would go on
// from.
func TestPackagesFromTheFuture(t *testing.T) {
	b, err := Open(Options{Tree: treetest.Shipped(t)})
	if err != nil {
		t.Fatal(err)
	}
	project, _, err := b.Load()
	if err != nil {
		t.Fatal(err)
	}
	s, err := b.Resolve(t.Context(), project, "debian-testing-amd64-ostree")
	if err != nil {
		t.Fatal(err)
	}
	p := &Prepared{Subject: s}
	now, far := time.Now(), time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
	results := map[string]layer.Result{
		"packages/base": {Epoch: 1700000000}, "packages/system": {Epoch: now.Add(time.Hour).Unix()}, "rootfs/install": {Epoch: now.Add(time.Hour).Unix()},
	}
	if err := p.fromTheFuture(&engine.Outcome{Results: results}); err != nil {
		t.Error(err)
	}
	for _, id := range []string{"rootfs/install", "packages/system", "commit/commit"} {
		results[id] = layer.Result{Epoch: far.Unix()}
	}
	results["packages/system"] = layer.Result{Epoch: far.Unix()}
	err = p.fromTheFuture(&engine.Outcome{Results: results})
	if err == nil {
		t.Fatal("packages of the year 2200 are published")
	}
	for _, want := range []string{"nothing is published", "packages/system", "2200-01-01 00:00 UTC", now.UTC().Format("2006-01-02"), "set it"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %v lacks %q", err, want)
		}
	}
}
