package cli

import "github.com/treewright/treewright/builder/gardenlinux"

// featureOptions are the options of `features`; its embedded fields are what
// a query of a batch can leave to them.
type featureOptions struct {
	dir, cname, features, ignore string
	batch                        bool
	gardenlinux.Defaults
}

// query is what a query of a batch leaves to the options.
func (o *featureOptions) query() gardenlinux.Query {
	return gardenlinux.Query{Ignore: gardenlinux.CommaList(o.ignore), Defaults: o.Defaults}
}
