package gardenlinux

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/rules"
)

// featureAnswers are the things that `features` can print. The first is the
// default; the order is that of help.
var featureAnswers = []string{"cname", "cname_base", "features", "platforms", "elements", "flags", "arch", "version", "graph"}

// featuresVerb is the verb features with its options: what is asked, and what a
// query of a batch can leave to them.
type featuresVerb struct {
	dir, cname, features, ignore string
	batch                        bool
	Defaults
}

func (o *featuresVerb) verb() rules.Verb {
	return rules.Verb{
		Name: "features", Args: "[WHAT]", Summary: "resolve features as the Garden Linux builder's parse_features does",
		Details: `Reads a directory of features, resolves a cname or a list of features, and prints
one of: cname (the default), cname_base, features, platforms, elements, flags,
arch, version, graph (Mermaid). With --batch it answers queries from standard
input, one JSON object per line: {"cname": "..."} or {"features": ["..."]}, and
optionally "ignore", "arch", "version", "default_arch", "default_version",
"allow_frankenstein". For keys that a query omits, the options are used.`,
		Example:  "./build features --cname base_dev-amd64-13 platforms",
		Complete: featureAnswers, Flags: o.flags, Run: o.run,
	}
}

func (o *featuresVerb) flags(f *pflag.FlagSet) {
	f.StringVar(&o.dir, "feature-dir", "", "the `DIRECTORY` of features (default: features/ in the tree)")
	f.StringVar(&o.cname, "cname", "", "resolve a `CNAME`: FEATURES, FEATURES-ARCH or FEATURES-ARCH-VERSION")
	f.StringVar(&o.features, "features", "", "resolve a list of `FEATURES`, separated by commas")
	f.StringVar(&o.ignore, "ignore", "", "`FEATURES` to treat as if they did not exist, separated by commas")
	f.StringVar(&o.Arch, "arch", "", "the `ARCH`; overrides that of the cname")
	f.StringVar(&o.Version, "version", "", "the `VERSION`; overrides that of the cname")
	f.StringVar(&o.DefaultArch, "default-arch", "", "the `ARCH` if neither the cname nor --arch gives one")
	f.StringVar(&o.DefaultVersion, "default-version", "", "the `VERSION` if neither the cname nor --version gives one")
	f.BoolVar(&o.AllowFrankenstein, "allow-frankenstein", false, "only warn if there is not exactly one platform")
	f.BoolVar(&o.batch, "batch", false, "answer queries from standard input")
}

// query is what a query of a batch leaves to the options.
func (o *featuresVerb) query() Query {
	return Query{Ignore: commaList(o.ignore), Defaults: o.Defaults}
}

func (o *featuresVerb) run(ctx context.Context, c rules.Call) error {
	what := featureAnswers[0]
	switch {
	case len(c.Args) > 1:
		return diag.Requestf("features prints one thing at a time, not %s", strings.Join(c.Args, " and "))
	case len(c.Args) == 1:
		what = c.Args[0]
	}
	if !slices.Contains(featureAnswers, what) {
		meant := ""
		if s := config.Suggest(what, featureAnswers); s != "" {
			meant = fmt.Sprintf("; did you mean %q?", s)
		}
		return diag.Requestf("features cannot print %q: it can print %s%s", what, strings.Join(featureAnswers, ", "), meant)
	}
	if o.batch {
		if len(c.Args) > 0 || o.cname != "" || o.features != "" {
			return diag.Requestf("--batch takes no WHAT, --cname or --features: it reads queries from standard input, and answers each with all values")
		}
		tree, err := o.tree(c)
		if err != nil {
			return err
		}
		return answerBatch(ctx, tree, o.query(), c.In, c.Out)
	}

	q := o.query()
	q.CName, q.Features = o.cname, commaList(o.features)
	asked, err := q.Asked()
	if err != nil {
		return err
	}
	// The Garden Linux builder, too, looks at the tree only after that.
	if (what == "arch" || what == "cname") && asked.Arch == "" {
		return diag.Requestf("no architecture is given: give it in the cname, or with --arch or --default-arch")
	}
	if (what == "version" || what == "cname") && asked.Version == "" {
		return diag.Requestf("no version is given: give it in the cname, or with --version or --default-version")
	}
	switch what {
	case "arch":
		_, err = fmt.Fprintln(c.Out, asked.Arch)
		return err
	case "version":
		_, err = fmt.Fprintln(c.Out, asked.Version)
		return err
	}
	return o.printSelection(c, what, q, asked)
}

// printSelection prints what the asked features come to.
func (o *featuresVerb) printSelection(c rules.Call, what string, q Query, asked Asked) error {
	tree, err := o.tree(c)
	if err != nil {
		return err
	}
	s, err := tree.Select(asked.Features, q.Ignore)
	if err != nil {
		return err
	}
	if problem := platformProblem(s); problem != "" {
		if !q.AllowFrankenstein {
			return fmt.Errorf("%s; --allow-frankenstein accepts that", problem)
		}
		fmt.Fprintf(c.Err, "treewright: warning: %s\n", problem)
	}
	_, err = fmt.Fprintln(c.Out, printed(what, s, asked))
	return err
}

// printed is what the Garden Linux builder prints, except for the newline at the end.
func printed(what string, s *compose.Selection, asked Asked) string {
	switch what {
	case "cname_base":
		return s.CanonicalName
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
		fmt.Fprintf(&b, "---\ntitle: Dependency Graph for Feature %s\n---\ngraph TD;\n", s.CanonicalName)
		for _, e := range s.Edges() {
			fmt.Fprintf(&b, "    %s-->%s;\n", e[0], e[1])
		}
		return b.String()
	}
	return CName(s, asked)
}

// tree reads the directory of features.
func (o *featuresVerb) tree(c rules.Call) (*Features, error) {
	dir := o.dir
	if dir == "" {
		dir = filepath.Join(c.Dir, config.FeaturesDir)
	}
	return readDirectory(dir, shownDirectory(c.Dir, dir), c.Bounded)
}

// shownDirectory is how messages name a directory: from the tree on, if it is there.
func shownDirectory(tree, dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		if rel, err := filepath.Rel(tree, abs); err == nil && filepath.IsLocal(rel) {
			return filepath.ToSlash(rel)
		}
	}
	return filepath.ToSlash(dir)
}
