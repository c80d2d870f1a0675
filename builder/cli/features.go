package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/treefs"
)

// featureAnswers are the things that `features` can print. The first is the
// default; the order is that of help.
var featureAnswers = []string{"cname", "cname_base", "features", "platforms", "elements", "flags", "arch", "version", "graph"}

var featuresVerb = &verb{
	name: "features", args: "[WHAT]", summary: "resolve features as the Garden Linux builder's parse_features does",
	details: `Reads any folder of features, works out what belongs to a cname or a list of
features, and prints one of: cname (the default), cname_base, features, platforms,
elements, flags, arch, version, graph (Mermaid). With --batch it answers queries
from standard input, one JSON object a line: {"cname": "..."} or
{"features": ["..."]}, and if need be "ignore", "arch", "version", "default_arch",
"default_version", "allow_frankenstein"; what a query leaves out is taken from the
options.`,
	complete: strings.Join(featureAnswers, " "), run: runFeatures,
	flags: func(f *pflag.FlagSet, o *options) {
		f.StringVar(&o.features.dir, "feature-dir", "", "the folder of features (default: features/ in the tree)")
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

// featureOptions are the options of `features`; its embedded fields are what
// a query of a batch can leave to them.
type featureOptions struct {
	dir, cname, features, ignore string
	batch                        bool
	queryDefaults
}

// queryDefaults is the part of a query that says more than what is asked for.
type queryDefaults struct {
	Arch              string `json:"arch"`
	Version           string `json:"version"`
	DefaultArch       string `json:"default_arch"`
	DefaultVersion    string `json:"default_version"`
	AllowFrankenstein bool   `json:"allow_frankenstein"`
}

// featureQuery asks what belongs to a cname or, if there is none, to features.
type featureQuery struct {
	CName    string   `json:"cname"`
	Features []string `json:"features"`
	Ignore   []string `json:"ignore"`
	queryDefaults
}

// commaList splits a list as the reference does: empty names do not count.
func commaList(s string) []string { return withoutEmpty(strings.Split(s, ",")) }

func withoutEmpty(names []string) []string {
	return slices.DeleteFunc(names, func(name string) bool { return name == "" })
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

	q := &featureQuery{CName: o.cname, Features: commaList(o.features), Ignore: commaList(o.ignore), queryDefaults: o.queryDefaults}
	asked, err := q.asked()
	if err != nil {
		return err
	}
	// The reference, too, looks at the tree only after that.
	if (what == "arch" || what == "cname") && asked.arch == "" {
		return usagef("no architecture is given: say it in the cname, or with --arch or --default-arch")
	}
	if (what == "version" || what == "cname") && asked.version == "" {
		return usagef("no version is given: say it in the cname, or with --version or --default-version")
	}
	switch what {
	case "arch":
		_, err = fmt.Fprintln(c.Out, asked.arch)
		return err
	case "version":
		_, err = fmt.Fprintln(c.Out, asked.version)
		return err
	}
	tree, err := c.featureTree()
	if err != nil {
		return err
	}
	s, err := tree.selectFeatures(asked.features, q.Ignore)
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

// askedFor is a query's subject, with what is known of architecture and
// version: "" if nothing is.
type askedFor struct {
	features      []string
	arch, version string
}

func (q *featureQuery) asked() (askedFor, error) {
	a := askedFor{features: q.Features}
	switch {
	case q.CName != "" && len(q.Features) > 0:
		return a, usagef("a cname and a list of features are given: only one of them can be resolved")
	case q.CName == "" && len(q.Features) == 0:
		return a, usagef("nothing is asked for: give a cname or a list of features")
	case q.CName != "":
		var err error
		if a.features, a.arch, a.version, err = compose.ParseCName(q.CName); err != nil {
			return a, usagef("%s is no cname: it is FEATURES, FEATURES-ARCH or FEATURES-ARCH-VERSION, begins with a small letter, "+
				"and holds letters, digits, - and _; the architecture is amd64 or arm64", quoted(q.CName))
		}
	}
	a.arch = firstOf(q.Arch, a.arch, q.DefaultArch)
	a.version = firstOf(q.Version, a.version, q.DefaultVersion)
	return a, nil
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// quoted is %q for text from outside, of which messages need not hold much.
func quoted(s string) string {
	const most = 100
	if len(s) > most {
		return fmt.Sprintf("%q...", s[:most])
	}
	return fmt.Sprintf("%q", s)
}

// printed is what the reference prints, but for the newline at the end.
func printed(what string, s *compose.Selection, asked askedFor) string {
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
	return cname(s, asked)
}

func cname(s *compose.Selection, asked askedFor) string {
	return s.CNameBase + "-" + asked.arch + "-" + asked.version
}

// platformProblem says what is wrong with the platforms of a selection, or "".
func platformProblem(s *compose.Selection) string {
	switch platforms := s.Platforms(); len(platforms) {
	case 0:
		return fmt.Sprintf("%s has no platform, and exactly one is needed", s.CNameBase)
	case 1:
		return ""
	default:
		return fmt.Sprintf("%s has %d platforms (%s), and exactly one is needed", s.CNameBase, len(platforms), strings.Join(platforms, ", "))
	}
}

// foreignTree is a folder of features that only the reference's rules apply to.
type foreignTree struct {
	project *config.Project
	graph   *compose.Graph
}

func (c *command) featureTree() (*foreignTree, error) {
	dir := c.options.features.dir
	if dir == "" {
		dir = filepath.Join(c.options.dir, config.FeaturesDir)
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, usagef("%s is no folder of features (choose one with --feature-dir)", dir)
	}
	var tree *config.FeatureTree
	var diags hcl.Diagnostics
	if err := c.builder.Bounded(func() error {
		tree, diags = config.LoadFeatures(treefs.New(dir), c.featuresName(dir))
		return nil
	}); err != nil {
		return nil, err
	}
	project := &config.Project{Features: map[string]*config.Feature{}, Files: tree.Files, Foreign: true}
	for _, f := range tree.Features {
		project.Features[f.Name] = f
	}
	if diags.HasErrors() {
		// The faults of single files would be repeated as unknown features.
		return nil, &diag.Faults{Files: project.Files, List: diags}
	}
	return newForeignTree(project, tree.Features)
}

// newForeignTree takes a project's features, in any order, by the reference's
// rules.
func newForeignTree(project *config.Project, features []*config.Feature) (*foreignTree, error) {
	t := &foreignTree{project: project}
	var diags hcl.Diagnostics
	if t.graph, diags = compose.NewGraph(features); diags.HasErrors() {
		return nil, &diag.Faults{Files: project.Files, List: diags}
	}
	return t, nil
}

// featuresName is how messages name a folder: from the tree on, if it lies there.
func (c *command) featuresName(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		if rel, err := filepath.Rel(c.options.dir, abs); err == nil && filepath.IsLocal(rel) {
			return filepath.ToSlash(rel)
		}
	}
	return filepath.ToSlash(dir)
}

// selectFeatures asks the core, and turns what it says into errors for people.
func (t *foreignTree) selectFeatures(asked, ignore []string) (*compose.Selection, error) {
	s, err := t.graph.Select(asked, ignore)
	var notFound *compose.NotFoundError
	var badType *compose.TypeError
	switch {
	case errors.As(err, &notFound) && !notFound.Ignored:
		hint := ""
		if len(notFound.Name) < 100 {
			if near := config.Suggest(notFound.Name, slices.Sorted(maps.Keys(t.project.Features))); near != "" {
				hint = fmt.Sprintf("; did you mean %q?", near)
			}
		}
		return nil, usagef("there is no feature %s%s", quoted(notFound.Name), hint)
	case errors.As(err, &badType):
		return nil, t.typeFault(badType.Name)
	case err != nil:
		return nil, err
	}
	// Our own fourth type is none that the reference knows.
	for _, name := range s.Features {
		if t.project.Features[name].Type == config.Extension {
			return nil, t.typeFault(name)
		}
	}
	return s, nil
}

func (t *foreignTree) typeFault(name string) error {
	f := t.project.Features[name]
	detail := fmt.Sprintf("%q is in what was asked for and has no type: platform, element or flag.", name)
	if f.Type != "" {
		detail = fmt.Sprintf("%q is in what was asked for and has the type %q; it must be platform, element or flag.", name, f.Type)
	}
	return &diag.Faults{Files: t.project.Files, List: hcl.Diagnostics{{
		Severity: hcl.DiagError, Summary: "Unknown type", Detail: detail, Subject: &f.Range,
	}}}
}
