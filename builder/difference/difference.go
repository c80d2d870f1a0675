package difference

import "context"

// Compare compares two systems.
func Compare(ctx context.Context, before, after Side, o Options) (*Difference, error) {
	d := &Difference{
		Before: before, After: after, Packages: []Package{}, CVEs: []string{}, Causes: []Cause{}, Files: []File{}, Units: []Unit{}, Accounts: []Account{}, Privileged: []Privileged{},
	}
	if before.Known && after.Known {
		d.comparePackages(ctx, o)
	} else {
		d.note("packages are not compared: those of %s are not known", unknownOf(before.Known, before, after))
	}
	if before.Tree != nil && after.Tree != nil {
		if err := d.compareTrees(o); err != nil {
			return nil, err
		}
	} else {
		d.note("files, units and accounts are not compared: %s has no commit", unknownOf(before.Tree != nil, before, after))
	}
	if before.Build && after.Build {
		d.KernelArgs = lists(before.KernelArgs, after.KernelArgs)
		listens := lists(prefixed("feature: ", before.Listens), prefixed("feature: ", after.Listens))
		d.Sockets.Added, d.Sockets.Removed = append(d.Sockets.Added, listens.Added...), append(d.Sockets.Removed, listens.Removed...)
	} else if before.Tree != nil && after.Tree != nil {
		d.note("kernel arguments and the sockets that features name are compared between builds only: they are not in commits")
	}
	if o.Download != nil {
		var err error
		if d.Download, err = o.Download(); err != nil {
			d.note("what a machine downloads is not known: %v", err)
		}
	}
	d.Same = len(d.Packages)+len(d.Files)+len(d.Units)+len(d.Accounts) == 0 && d.KernelArgs.empty() && d.Sockets.empty()
	return d, nil
}

// unknownOf is the name of the side that lacks something, given whether the first has it.
func unknownOf(first bool, before, after Side) string {
	if !first {
		return before.Name
	}
	return after.Name
}
