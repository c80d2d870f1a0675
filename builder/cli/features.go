package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/gardenlinux"
	"github.com/treewright/treewright/builder/treefs"
)

// featureAnswers are the things that `features` can print. The first is the
// default; the order is that of help.
var featureAnswers = []string{"cname", "cname_base", "features", "platforms", "elements", "flags", "arch", "version", "graph"}

var featuresVerb = &verb{
	name: "features", args: "[WHAT]", summary: "resolve features as the Garden Linux builder's parse_features does",
	details: `Reads any directory of features, works out what belongs to a cname or a list of
features, and prints one of: cname (the default), cname_base, features, platforms,
elements, flags, arch, version, graph (Mermaid). With --batch it answers queries
from standard input, one JSON object a line: {"cname": "..."} or
{"features": ["..."]}, and if need be "ignore", "arch", "version", "default_arch",
"default_version", "allow_frankenstein"; what a query leaves out is taken from the
options.`,
	complete: strings.Join(featureAnswers, " "), run: runFeatures,
	flags: func(f *pflag.FlagSet, o *options) {
		f.StringVar(&o.features.dir, "feature-dir", "", "the directory of features (default: features/ in the tree)")
		f.StringVar(&o.features.cname, "cname", "", "resolve a cname: FEATURES, FEATURES-ARCH or FEATURES-ARCH-VERSION")
		f.StringVar(&o.features.features, "features", "", "resolve a list of features, separated by commas")
		f.StringVar(&o.features.ignore, "ignore", "", "features to treat as if they were not there, separated by commas")
		f.StringVar(&o.features.Arch, "arch", "", "the architecture, whatever the cname says")
		f.StringVar(&o.features.Version, "version", "", "the version, whatever the cname says")
		f.StringVar(&o.features.DefaultArch, "default-arch", "", "the architecture if nothing else says one")
		f.StringVar(&o.features.DefaultVersion, "default-version", "", "the version if nothing else says one")
		f.BoolVar(&o.features.AllowFrankenstein, "allow-frankenstein", false, "warn only if there is not exactly one platform")
		f.BoolVar(&o.features.batch, "batch", false, "answer queries from standard input")
	},
}

func runFeatures(ctx context.Context, c *command) error {
	o := &c.options.features
	what := featureAnswers[0]
	switch {
	case len(c.args) > 1:
		return usagef("features prints one thing at a time, not %s", strings.Join(c.args, " and "))
	case len(c.args) == 1:
		what = c.args[0]
	}
	if !slices.Contains(featureAnswers, what) {
		return usagef("features cannot print %q: it can print %s", what, strings.Join(featureAnswers, ", "))
	}
	if o.batch {
		if len(c.args) > 0 || o.cname != "" || o.features != "" {
			return usagef("with --batch, the queries on standard input say what is asked for, and all there is to say is answered")
		}
		tree, err := c.featureTree()
		if err != nil {
			return err
		}
		return c.batch(ctx, tree)
	}

	q := o.query()
	q.CName, q.Features = o.cname, gardenlinux.CommaList(o.features)
	asked, err := q.Asked()
	if err != nil {
		return err
	}
	// The Garden Linux builder, too, looks at the tree only after that.
	if (what == "arch" || what == "cname") && asked.Arch == "" {
		return usagef("no architecture is given: say it in the cname, or with --arch or --default-arch")
	}
	if (what == "version" || what == "cname") && asked.Version == "" {
		return usagef("no version is given: say it in the cname, or with --version or --default-version")
	}
	switch what {
	case "arch":
		_, err = fmt.Fprintln(c.Out, asked.Arch)
		return err
	case "version":
		_, err = fmt.Fprintln(c.Out, asked.Version)
		return err
	}
	return c.printSelection(what, q, asked)
}

// printSelection prints what the asked features come to.
func (c *command) printSelection(what string, q gardenlinux.Query, asked gardenlinux.Asked) error {
	tree, err := c.featureTree()
	if err != nil {
		return err
	}
	s, err := tree.Select(asked.Features, q.Ignore)
	if err != nil {
		return err
	}
	if problem := gardenlinux.PlatformProblem(s); problem != "" {
		if !q.AllowFrankenstein {
			return fmt.Errorf("%s; --allow-frankenstein accepts that", problem)
		}
		fmt.Fprintf(c.Err, "treewright: warning: %s\n", problem)
	}
	_, err = fmt.Fprintln(c.Out, printed(what, s, asked))
	return err
}

// printed is what the Garden Linux builder prints, but for the newline at the end.
func printed(what string, s *compose.Selection, asked gardenlinux.Asked) string {
	switch what {
	case "cname_base":
		return s.CNameBase
	case "features":
		return strings.Join(s.Features, ",")
	case "platforms":
		return strings.Join(s.Platforms(), ",")
	case "elements":
		return strings.Join(s.Elements(), ",")
	case "flags":
		return strings.Join(s.Flags(), ",")
	case "graph":
		var b strings.Builder
		fmt.Fprintf(&b, "---\ntitle: Dependency Graph for Feature %s\n---\ngraph TD;\n", s.CNameBase)
		for _, e := range s.Edges() {
			fmt.Fprintf(&b, "    %s-->%s;\n", e[0], e[1])
		}
		return b.String()
	}
	return gardenlinux.CName(s, asked)
}

func (c *command) featureTree() (features *gardenlinux.Features, err error) {
	dir := c.options.features.dir
	if dir == "" {
		dir = filepath.Join(c.options.dir, config.FeaturesDir)
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, usagef("%s is not a directory of features (choose one with --feature-dir)", dir)
	}
	err = c.builder.Bounded(func() error {
		features, err = gardenlinux.ReadFeatures(treefs.New(dir), c.featuresName(dir))
		return err
	})
	return features, err
}

// featuresName is how messages name a directory: from the tree on, if it lies there.
func (c *command) featuresName(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		if rel, err := filepath.Rel(c.options.dir, abs); err == nil && filepath.IsLocal(rel) {
			return filepath.ToSlash(rel)
		}
	}
	return filepath.ToSlash(dir)
}
