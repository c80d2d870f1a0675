package rules

import (
	"context"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/stage/planner"
)

// Rules are those of one kind of configuration tree.
type Rules interface {
	// Load reads the tree, all faults and warnings together.
	Load() (*config.Project, hcl.Diagnostics)
	// LenientLinks reports that a link in a feature's directory that leads nowhere, or
	// out of the tree, is not a fault and stays a link.
	LenientLinks() bool
	// Resolve finds out what a name means, with its features resolved and their
	// package lists expanded. It returns nil if the name was meant for other rules.
	Resolve(ctx context.Context, p *config.Project, name string) (*Subject, error)
	// Listed is what can be built from the tree; nil if nothing in it says so.
	Listed(p *config.Project, m Means) (*Listed, error)
	// Check finds all that is to be said of the whole tree. What was found is
	// returned with an error as well.
	Check(ctx context.Context, m Means) (Checked, error)
	// Clean removes what a build of that name published in a directory for all
	// output under names that only these rules know, while it has claimed it. It
	// returns false if there is nothing of the kind.
	Clean(output, name string, claim func(publish.Output) (func(), error)) (bool, error)
}

// Means are what rules that check a tree do not have themselves.
type Means struct {
	// Bounded does what reads and resolves a tree, and gives up if that takes too
	// much.
	Bounded func(do func() error) error
	// Index returns all packages of a source, for an architecture, of a family of
	// distributions.
	Index func(ctx context.Context, family, arch string, src distro.Source) (distro.Index, error)
}

// Checked is what there is to say of a tree.
type Checked struct {
	Project *config.Project
	Found   hcl.Diagnostics
	// Summary is the last line.
	Summary string
}

// Listed is a list of what can be built from a tree.
type Listed struct {
	// Name is what programs find it by.
	Name string
	// Columns and Rows are the table for people.
	Columns []string
	Rows    [][]string
	// Entries are the same for programs, one for each row.
	Entries []any
	// Warnings are what is wrong with some of it.
	Warnings []string
}

// FlavourList is the name of the list of flavours.
const FlavourList = "flavours"

// Only returns the list with the rows whose first columns are wanted.
func (l *Listed) Only(wanted func(name string) bool) *Listed {
	out := *l
	out.Rows, out.Entries = nil, nil
	for i, row := range l.Rows {
		if wanted(row[0]) {
			out.Rows, out.Entries = append(out.Rows, row), append(out.Entries, l.Entries[i])
		}
	}
	return &out
}

// Subject is what a name means, with its features resolved, and how it is
// built.
type Subject struct {
	// Name is the one by which it was asked for.
	Name    string
	Project *config.Project
	Spec    *compose.Spec
	// Warnings are what was noticed and stops no build.
	Warnings hcl.Diagnostics

	Method planner.Method
	// Output returns where its files go below a directory; Names are those by which
	// users know them.
	Output func(root string) publish.Output
	Names  publish.Names
	// LockFile is the path of its lock file in the configuration tree, which need not be
	// there; "" if it cannot have one.
	LockFile string
	// Images are the disk images that a machine can be started with, the one to
	// prefer first; NoImage is what is wrong if the manifest lists none of them.
	Images  []Image
	NoImage string
	// Served reports that machines are served what was built, and Tested that they run
	// the features' tests; without, a test only logs in.
	Served, Tested bool
	// NoUpgrade is why no upgrade of it can be tested; "" if one can.
	NoUpgrade string
	// MachineTools is where the programs that run a machine come from if the own
	// archive does not have them.
	MachineTools *config.Distribution
}

// Flavour returns the name under which results of a subject are kept.
func (s *Subject) Flavour() string { return s.Spec.Flavour.Name }

// Image is a disk image.
type Image struct {
	// Name is what the manifest calls it, and Format what QEMU calls its format.
	Name, Format string
}

// Image returns the disk image that a machine is started with, of those that a
// manifest lists. It is one that is asked for now: what an earlier build made in
// another format is not started in its place.
func (s *Subject) Image(m *publish.Manifest) (Image, bool) {
	for _, image := range s.Images {
		if slices.ContainsFunc(m.Artifacts, func(a publish.ManifestArtifact) bool { return a.Name == image.Name }) {
			return image, true
		}
	}
	return Image{}, false
}
