package compose

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
)

// Spec is a flavour worked out: all that stages need to plan their steps.
type Spec struct {
	Flavour *config.Flavour
	// Features make up the system itself, what is included before what
	// includes it. Extension features and what only they include are not
	// among them.
	Features []*config.Feature
	// Extensions are in the order in which their features are resolved.
	Extensions []Extension
	// Parameters holds every parameter of every selected feature, extensions'
	// too: feature, then parameter.
	Parameters map[string]map[string]Value
	// Packages are what the system's features include and none of them
	// excludes, each once, in the order of the first mention.
	Packages []Want
	// Excluded are packages that none of the system's features gets, and Forbidden
	// those of them that the system must not have, whatever needs them.
	Excluded, Forbidden []Want
	// Listens are the sockets on which other machines may reach the system by
	// its features' word: "tcp/22", "udp/PORT", "raw/PROTOCOL". Sorted.
	Listens []string
	// BuildPackages are what a feature's exec.build needs while it runs, by
	// feature; features that need none are absent.
	BuildPackages map[string][]Want
	// Generated are files that features have without a file.include that holds them,
	// by feature. They are copied after those of file.include and exec.build.
	Generated map[string][]config.Generated
	// Sources are where packages come from: those of the distribution, then those
	// that features bring.
	Sources []config.Source
	// CanonicalName is the canonical name, without architecture and version: the
	// features, extensions' too, that no other one includes.
	CanonicalName string

	selection *Selection
	// brought is what the flavour brings itself; nil if that is nothing.
	brought *config.Feature
	// environment is the environment of every script.
	environment map[string]string
}

// Extension is a system extension: a tree above the system's.
type Extension struct {
	// Name is the feature's name without a "sysext-" in front.
	Name    string
	Feature *config.Feature
	// Features are the extension feature itself and what it includes that the
	// system does not have, in resolved order. What two extensions include
	// belongs to both.
	Features []*config.Feature
	// Packages are what Features include and none of them excludes. They may
	// repeat what the system has.
	Packages []Want
	// Excluded and Forbidden are the same for the extension.
	Excluded, Forbidden []Want
	// Listens are the sockets that Features name; see [Spec].
	Listens []string
}

// Resolve works out a flavour. All faults are collected; with an error among
// them there is no Spec.
//
// Features are selected as [Graph.Select] says, extensions together with the
// system: what an extension excludes is in neither. An extension then
// keeps for itself what can only be reached over includes through it.
func Resolve(p *config.Project, f *config.Flavour) (*Spec, hcl.Diagnostics) {
	g, diags := NewGraph(p.SortedFeatures())
	if diags.HasErrors() {
		return nil, diags
	}
	return resolve(p, g, f)
}

func resolve(p *config.Project, g *Graph, f *config.Flavour) (*Spec, hcl.Diagnostics) {
	sel, diags := selectFor(g, f)
	if diags.HasErrors() {
		return nil, diags
	}
	s := &Spec{Flavour: f, CanonicalName: sel.CanonicalName, selection: sel, Generated: map[string][]config.Generated{}}
	diags = append(diags, s.partition(p, g)...)
	diags = append(diags, s.checkStages()...)
	diags = append(diags, s.checkSuite(p.Lacks)...)
	diags = append(diags, s.gatherSources(s.AllFeatures())...)

	var ds hcl.Diagnostics
	s.Parameters, ds = parameters(p, f, sel.Features)
	diags = append(diags, ds...)
	diags = append(diags, s.checkRemote()...)
	diags = append(diags, s.checkTarball()...)
	diags = append(diags, s.checkVerity(p.Lacks)...)
	if !diags.HasErrors() { // else values are missing, and what lacks them would be blamed
		diags = append(diags, s.render(p)...)
	}
	lists, ds := expandPackages(p, sel.Features, s.Parameters, flavourVariables(f))
	diags = append(diags, ds...)
	diags = append(diags, DebFaults(f, s.debs())...)
	s.BuildPackages = lists.Build
	diags = append(diags, s.ownContent(lists)...)
	for _, name := range append(slices.Clone(sel.Features), config.FlavourFeature) {
		diags = append(diags, archFaults(f, lists.Include[name], lists.Forbid[name], lists.Build[name])...)
	}
	s.Packages, ds = lists.Merge(s.Composed())
	s.Excluded, s.Forbidden = merged(lists.Exclude, s.Composed()), merged(lists.Forbid, s.Composed())
	diags = append(append(diags, ds...), lists.contradictions(s.Composed())...)
	s.Listens, ds = s.listens(s.Features)
	diags = append(diags, ds...)
	for i := range s.Extensions {
		e := &s.Extensions[i]
		e.Packages, ds = lists.Merge(e.Features)
		e.Excluded, e.Forbidden = merged(lists.Exclude, e.Features), merged(lists.Forbid, e.Features)
		diags = append(append(diags, ds...), lists.contradictions(e.Features)...)
		e.Listens, ds = s.listens(e.Features)
		diags = append(diags, ds...)
	}
	diags = append(diags, s.checkSuites()...)
	diags = append(diags, s.checkInterpreters(p.Brings)...)
	diags = append(diags, s.checkKernels(p.Kernel)...)
	if diags.HasErrors() {
		return nil, diags
	}
	return s, diags
}

// selectFor asks the graph for a flavour's features and puts what it answers
// into the words of a diagnostic.
func selectFor(g *Graph, f *config.Flavour) (*Selection, hcl.Diagnostics) {
	var diags hcl.Diagnostics
	mention := map[string]config.FeatureRef{}
	var asked []string
	for _, ref := range f.Features {
		if _, ok := g.number[ref.Name]; !ok {
			diags = append(diags, g.unknownFeature(fmt.Sprintf("Flavour %q names feature %q, but there is no such feature.", f.Name, ref.Name), ref))
			continue
		}
		if _, ok := mention[ref.Name]; !ok {
			mention[ref.Name] = ref
			asked = append(asked, ref.Name)
		}
	}
	if diags.HasErrors() {
		return nil, diags
	}
	sel, err := g.Select(asked, nil)
	var excluded *ExcludedError
	var typeless *TypeError
	switch {
	case err == nil:
		return sel, nil
	case errors.As(err, &excluded):
		by, to := g.number[excluded.By], g.number[excluded.Name]
		at := slices.IndexFunc(g.succ[by], func(e edge) bool { return e.to == to })
		return nil, hcl.Diagnostics{fault("Excluded feature",
			fmt.Sprintf("Flavour %q names feature %q, but feature %q, which is also part of the flavour, excludes it (%s).",
				f.Name, excluded.Name, excluded.By, place(g.succ[by][at].mention)),
			mention[excluded.Name].Range)}
	case errors.As(err, &typeless):
		return nil, hcl.Diagnostics{fault("Feature without a known type", fmt.Sprintf("Flavour %q needs it, but %s.", f.Name, err), g.features[g.number[typeless.Name]].Range)}
	}
	return nil, hcl.Diagnostics{fault("Nothing to build", fmt.Sprintf("Flavour %q: %s.", f.Name, err), f.Range)}
}

func (g *Graph) isExtension(n int) bool { return g.features[n].Type == config.Extension }

// own returns what a walk over includes from the given features meets without
// going through an extension.
func (s *Spec) own(g *Graph, from []int) bitset {
	reached := newBitset(len(g.features))
	for _, n := range from {
		reached.add(n)
	}
	for len(from) > 0 {
		n := from[len(from)-1]
		from = from[:len(from)-1]
		for _, e := range g.succ[n] {
			if s.selection.in.has(e.to) && !g.isExtension(e.to) && !reached.has(e.to) {
				reached.add(e.to)
				from = append(from, e.to)
			}
		}
	}
	return reached
}

// partition divides the selected features among system and extensions.
func (s *Spec) partition(p *config.Project, g *Graph) hcl.Diagnostics {
	var roots []int
	for _, ref := range s.Flavour.Features {
		if n := g.number[ref.Name]; !g.isExtension(n) {
			roots = append(roots, n)
		}
	}
	system := s.own(g, roots)

	s.environment = map[string]string{
		"BUILDER_FLAVOUR":  s.Flavour.Name,
		"BUILDER_ARCH":     s.Flavour.Distribution.Arch,
		"BUILDER_SUITE":    s.Flavour.Distribution.Suite,
		"BUILDER_CNAME":    canonicalName(g.minimal(system)),
		"BUILDER_FEATURES": strings.Join(s.selection.within(system), ","),

		"BUILDER_MIRROR":     WithoutPassword(s.Flavour.Distribution.Mirror),
		"BUILDER_COMPONENTS": strings.Join(s.Flavour.Distribution.Components, " "),
		"BUILDER_KEYRING":    s.Flavour.Distribution.Keyring,
	}

	var diags hcl.Diagnostics
	byName := map[string]string{}
	for _, name := range s.selection.Features {
		n, f := g.number[name], p.Features[name]
		if system.has(n) {
			s.Features = append(s.Features, f)
		}
		if !g.isExtension(n) {
			continue
		}
		ext := Extension{Name: strings.TrimPrefix(name, "sysext-"), Feature: f}
		if other, ok := byName[ext.Name]; ok {
			diags = append(diags, fault("Two extensions of one name",
				fmt.Sprintf("Features %q and %q would both become the extension %q.", other, name, ext.Name), f.Range))
		}
		byName[ext.Name] = name
		reached := s.own(g, []int{n})
		for _, name := range s.selection.within(reached) {
			if !system.has(g.number[name]) {
				ext.Features = append(ext.Features, p.Features[name])
			}
		}
		s.Extensions = append(s.Extensions, ext)
	}
	return diags
}

// AllFeatures are the system's features, then those that only extensions have, each once.
func (s *Spec) AllFeatures() []*config.Feature {
	all := slices.Clone(s.Features)
	for _, ext := range s.Extensions {
		for _, f := range ext.Features {
			if !slices.Contains(all, f) {
				all = append(all, f)
			}
		}
	}
	return all
}

// checkStages finds stages that two features have, or that one
// does which is not part of the system.
func (s *Spec) checkStages() hcl.Diagnostics {
	var diags hcl.Diagnostics
	claims := map[string]*config.Feature{}
	for _, f := range s.Features {
		if f.Stage == "" {
			continue
		}
		if other := claims[f.Stage]; other != nil {
			diags = append(diags, fault("Two features for one stage",
				fmt.Sprintf("Flavour %q has the features %q (%s) and %q, and both add the stage %q; it can have only one of them.",
					s.Flavour.Name, other.Name, place(other.Range), f.Name, f.Stage), f.Range))
			continue
		}
		claims[f.Stage] = f
	}
	for _, ext := range s.Extensions {
		for _, f := range ext.Features {
			if f.Stage != "" {
				diags = append(diags, fault("Stage within an extension",
					fmt.Sprintf("Feature %q adds the stage %q, but only extension %q includes it in flavour %q. Name it in the flavour, or let a feature of the system include it.",
						f.Name, f.Stage, ext.Name, s.Flavour.Name), f.Range))
			}
		}
	}
	return diags
}

// StageFeature is the feature of the system with a stage ("commit",
// "image"), or nil if there is none: then the flavour does not have that stage.
func (s *Spec) StageFeature(stage string) *config.Feature {
	for _, f := range s.Features {
		if f.Stage == stage {
			return f
		}
	}
	return nil
}

// StageParameter is the value of a parameter of the feature with a stage; false if the system
// does not have the stage, or the feature does not declare the parameter.
func (s *Spec) StageParameter(stage, name string) (Value, bool) {
	f := s.StageFeature(stage)
	if f == nil {
		return Value{}, false
	}
	v, declared := s.Parameters[f.Name][name]
	return v, declared
}

// WithoutPassword returns a URL without the user and password in it: scripts
// write it into the system. One that is not a URL is a fault found elsewhere.
func WithoutPassword(mirror string) string {
	u, err := url.Parse(mirror)
	if err != nil {
		return ""
	}
	u.User = nil
	return u.String()
}

// Environment is what a feature's scripts and stage are told: each of its
// parameters as PARAM_NAME, the name in upper case, except for secrets and those that
// are for the stage alone, and what an [Assembly] said
// or, for a flavour, BUILDER_FLAVOUR,
// BUILDER_ARCH, BUILDER_SUITE, BUILDER_MIRROR (without a password),
// BUILDER_COMPONENTS (joined by blanks), BUILDER_KEYRING ("" for the family's
// own), BUILDER_CNAME and BUILDER_FEATURES (joined by commas, in resolved
// order).
//
// The last two are of the system alone, without extensions, for an
// extension's features too: otherwise one extension more would give every
// step of the system another key.
func (s *Spec) Environment(feature string) map[string]string {
	env := maps.Clone(s.environment)
	for name, v := range s.Parameters[feature] {
		if !v.silent {
			env["PARAM_"+strings.ToUpper(name)] = v.String()
		}
	}
	return env
}
