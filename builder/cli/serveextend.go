package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/serve"
)

// extend has the server make images of packages, if the tree has a block extend. project is nil if the tree was not read yet. stop ends the
// jobs that run.
func (o *serveOptions) extend(ctx context.Context, c *command, h *serve.Handler, project *config.Project) (stop func(), err error) {
	if project == nil && build.IsTree(c.options.dir) {
		var faults *diag.Faults
		switch project, _, err = c.builder.Load(); {
		// Machines upgrade from this server, regardless of the tree.
		case errors.As(err, &faults):
			fmt.Fprintf(c.Err, "no images of packages are made for machines, because the configuration tree has faults, which `./build check` shows\n")
		case err != nil:
			fmt.Fprintf(c.Err, "no images of packages are made for machines: %v\n", err)
		}
	}
	if project == nil || project.Extend == nil {
		if project != nil && c.options.sign != (build.SignOptions{}) {
			return nil, usagef("options for signatures are for images of packages, and treewright.hcl does not have a block extend, so no images are made")
		}
		return func() {}, nil
	}
	fmt.Fprintf(c.Err, "images of these packages are made when machines ask for them: %s\n", strings.Join(project.Extend.Packages, " "))
	return h.Extend(ctx, build.Extender{Builder: c.builder, Sources: project.Extend.Sources}, project.Extend), nil
}
