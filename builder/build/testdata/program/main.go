// Command program builds a flavour of a configuration tree and prints its commit:
// program TREE FLAVOUR CACHE.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/event"
)

func main() {
	done, err := build.Child(context.Background(), os.Args)
	if err == nil && !done {
		err = run(os.Args[1], os.Args[2], os.Args[3])
	}
	if err != nil {
		log.Fatal(err)
	}
}

func run(tree, flavour, cache string) error {
	builder, err := build.Open(build.Options{Tree: tree, Cache: cache})
	if err != nil {
		return err
	}
	made, err := builder.Build(context.Background(), build.Request{Name: flavour, Sink: event.NewPlain(os.Stderr, event.Options{})})
	if err == nil {
		fmt.Println(made.Manifest.Commit)
	}
	return err
}
