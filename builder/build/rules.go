package build

import (
	"crypto/x509"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/gardenlinux"
	"github.com/treewright/treewright/builder/gardenlinux/stages"
	"github.com/treewright/treewright/builder/gardenlinux/tree"
	"github.com/treewright/treewright/builder/rules"
	"github.com/treewright/treewright/builder/stage"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treefs"
	"github.com/treewright/treewright/builder/verity"
)

// This file alone knows that there are two kinds of trees.

// Other returns the kind of trees that there is beside those with flavours, for
// [Options.Other]: those with features alone.
func Other() rules.Kind { return &gardenlinux.Kind{} }

// choose chooses the rules of the tree. In one with flavours the features are for
// those, and a name that is not a flavour's may be one of the other kind.
func (b *Builder) choose() {
	o := &b.options
	if o.Other == nil {
		o.Other = Other()
	}
	place := rules.Place{Tree: b.tree, Dir: o.Tree, Distro: Families[0], Hidden: []string{o.Cache, o.Output}, Say: o.Say}
	if b.forFlavours() {
		place.BesideFlavours = true
		b.rules, b.others = b.flavours(b.uses(o.Offline)), []rules.Rules{o.Other.Rules(place)}
		return
	}
	b.rules = o.Other.Rules(place)
}

// forFlavours reports that the tree is one with flavours, or with a file that only such
// trees have.
func (b *Builder) forFlavours() bool {
	return slices.ContainsFunc(append([]string{config.FlavoursDir}, config.TreeFiles...), func(name string) bool {
		return exists(filepath.Join(b.options.Tree, name))
	})
}

// OfOtherKind reports that the directory is a tree of the kind that [Options.Other] has
// the rules for.
func (b *Builder) OfOtherKind() bool { return IsTree(b.options.Tree) && !b.forFlavours() }

// flavours are the rules of trees with flavours.
func (b *Builder) flavours(uses config.Uses) rules.Rules {
	return rules.Flavours{Tree: b.tree, Options: config.Options{
		Vars: b.options.Vars, Env: b.options.Env, Others: tree.BesideFlavours(), Places: databasePlaces(), Choices: stage.Choices(), Lacks: lacks, Brings: brings, Kernel: isKernel, Uses: uses,
		Keyring:     func(path string) error { return withoutPath(Families[0].CheckKeyring(b.inTree(path))) },
		Authority:   func(path string) error { return withoutPath(checkAuthority(b.inTree(path))) },
		Certificate: func(text []byte) error { return checkCertificate(text, time.Now()) },
	}}
}

// withoutPath is an error of reading a file for messages that name it as it was
// written.
func withoutPath(err error) error {
	if named := (*fs.PathError)(nil); errors.As(err, &named) {
		return named.Err
	}
	return err
}

// checkAuthority describes what is wrong with a file with certificates.
func checkAuthority(file string) error {
	pem, err := treefs.ReadFile(file, treefs.MostKeyring)
	if err == nil && !x509.NewCertPool().AppendCertsFromPEM(pem) {
		err = errors.New("it has no certificate in PEM form")
	}
	return err
}

// checkCertificate reports what is wrong with a certificate for signatures of extensions.
func checkCertificate(text []byte, now time.Time) error {
	cert, err := verity.ReadCertificate(text)
	if err != nil {
		return err
	}
	if why := verity.Expired(cert, now); why != "" {
		return errors.New(why)
	}
	return nil
}

// Actions are what steps of all plans can name.
var Actions task.Actions = slices.Concat(stage.Actions, stages.Actions)

// runHelper does the work of a program that scripts call, if this one was started by
// the name of one.
var runHelper = gardenlinux.Helper
