package build

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/gardenlinux"
	"github.com/treewright/treewright/builder/gardenlinux/imagetool"
	"github.com/treewright/treewright/builder/gardenlinux/stages"
	"github.com/treewright/treewright/builder/gardenlinux/tree"
	"github.com/treewright/treewright/builder/rules"
	"github.com/treewright/treewright/builder/stage"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treefs"
)

// This file alone knows that there are two kinds of trees.

// choose chooses the rules of the tree. In one with flavours the features are for
// those, and a name that is not a flavour's may be a cname.
func (b *Builder) choose() {
	cnames := b.cnames()
	b.rules = cnames
	if exists(filepath.Join(b.options.Tree, config.FlavoursDir)) {
		cnames.BesideFlavours = true
		b.rules, b.others = b.flavours(), []rules.Rules{cnames}
	}
}

// cnames are the rules of Garden Linux trees.
func (b *Builder) cnames() *gardenlinux.Rules {
	o := &b.options
	return &gardenlinux.Rules{Options: o.GardenLinux, Tree: b.tree, Dir: o.Tree, Distro: Families[0], Hidden: []string{o.Cache, o.Output}}
}

// flavours are the rules of trees with flavours.
func (b *Builder) flavours() rules.Rules {
	return rules.Flavours{Tree: b.tree, Options: config.Options{
		Vars: b.options.Vars, Env: b.options.Env, Others: tree.BesideFlavours(), Places: databasePlaces(),
		Keyring: func(path string) error { return treefs.Check(b.inTree(path), treefs.MostKeyring) },
	}}
}

// Actions are what steps of all plans can name.
var Actions task.Actions = slices.Concat(stage.Actions, stages.Actions)

// runHelper does the work of a program that scripts call, if it was started by the
// name of one.
func runHelper(ctx context.Context, args []string) (done bool, err error) {
	for _, p := range imagetool.Programs() {
		if len(args) > 0 && p.Name == filepath.Base(args[0]) {
			return true, p.Run(ctx, args[1:], os.Getenv, imagetool.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
		}
	}
	return false, nil
}
