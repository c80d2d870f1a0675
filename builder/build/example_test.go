package build_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/build/buildtest"
	"github.com/treewright/treewright/builder/event"
)

// A program that builds a flavour. A real one has no Backend, and begins with
// [build.Child]: see testdata/program, which the end-to-end tests run.
func Example() {
	scratch, err := os.MkdirTemp("", "example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(scratch)
	builder, err := build.Open(build.Options{
		Tree: "testdata/tree", Cache: scratch + "/cache", Output: scratch + "/output",
		Backend: buildtest.Backend(),
	})
	if err != nil {
		log.Fatal(err)
	}
	made, err := builder.Build(context.Background(), build.Request{Name: "small", Sink: event.Discard})
	if err != nil {
		log.Fatal(err)
	}
	for _, a := range made.Manifest.Artifacts {
		fmt.Printf("%s: %s\n", a.Name, a.Description)
	}
	// Output:
	// small-repo-amd64: the OSTree repository that machines pull small from
	// ostree-small-repo-amd64.tar.gz: the repository as one file, for other builders
	// small.spdx.json: what the system is made of, in SPDX
	// small.cdx.json: what the system is made of, in CycloneDX
}
