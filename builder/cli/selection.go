package cli

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/rules"
)

// selection has the options that choose flavours, of verbs that work on several.
type selection struct {
	since string
	shard shard
	times []string
}

// shard is which of several parts is meant; the zero value is all.
type shard struct{ part, of int }

// mostShards is far more than there are machines.
const mostShards = 100_000

// Set implements [pflag.Value].
func (s *shard) Set(text string) error {
	part, of, ok := strings.Cut(text, "/")
	i, err := strconv.Atoi(part)
	n, errOf := strconv.Atoi(of)
	switch {
	case !ok || err != nil || errOf != nil:
		return fmt.Errorf("takes I/N, such as 1/4 for the first of four parts, not %q", text)
	case n < 1 || n > mostShards:
		return fmt.Errorf("takes I/N with N from 1 to %d, not %q", mostShards, text)
	case i < 1 || i > n:
		return fmt.Errorf("takes I/N with I from 1 to %d, not %q", n, text)
	}
	*s = shard{i, n}
	return nil
}

// String is the part as it is given, "" for all.
func (s *shard) String() string {
	if s.of == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.part, s.of)
}

// Type implements [pflag.Value].
func (s *shard) Type() string { return "I/N" }

// sinceFlag declares the option for a comparison with a revision.
func (s *selection) sinceFlag(f *pflag.FlagSet) {
	f.StringVar(&s.since, "changed-since", "", "only flavours whose plan is another one than at the git `REVISION`")
}

// shardFlag declares the option for one of several parts.
func (s *selection) shardFlag(f *pflag.FlagSet) {
	s.shard = shard{}
	f.Var(&s.shard, "shard", "only the part `I/N` of the flavours, such as 1/4: the job that matrix --jobs N has at that place")
}

// timesFlag declares the option for known times.
func (s *selection) timesFlag(f *pflag.FlagSet, without string) {
	f.StringArrayVar(&s.times, "times", nil, "how long steps took: a `FILE` that matrix --format json wrote, or a directory with such files; may be repeated (default: "+without+")")
}

// shardTimes is what help has of times for parts: all machines have to divide by the same ones.
const shardTimes = "usual times, because other machines have not built the same"

// given reports whether an option chooses flavours.
func (s *selection) given() bool { return s.since != "" || s.shard.of != 0 }

// isPattern reports whether a name is one of several flavours.
func isPattern(name string) bool { return strings.ContainsAny(name, `*?[`) }

// matching are the flavours that names and patterns mean, in the order of the tree; without
// any, all.
func matching(p *config.Project, patterns []string) ([]string, error) {
	var names []string
	for _, f := range p.Flavours {
		names = append(names, f.Name)
	}
	if len(patterns) == 0 {
		return names, nil
	}
	wanted := map[string]bool{}
	for _, pattern := range patterns {
		if !isPattern(pattern) {
			if _, err := rules.Flavour(p, pattern); err != nil {
				return nil, err
			}
			wanted[pattern] = true
			continue
		}
		found := false
		for _, name := range names {
			hit, err := path.Match(pattern, name)
			if err != nil {
				return nil, usagef("%q is not a pattern: %v", pattern, err)
			}
			if hit {
				found, wanted[name] = true, true
			}
		}
		if !found {
			return nil, noMatch(pattern, names)
		}
	}
	return slices.DeleteFunc(names, func(name string) bool { return !wanted[name] }), nil
}

// noMatch is the fault of a pattern that no name matches. Names with a similar beginning were
// probably meant.
func noMatch(pattern string, names []string) error {
	at := strings.IndexAny(pattern, `*?[`)
	var begins []string
	for _, name := range names {
		if at > 0 && len(name) >= at && !slices.Contains(begins, name[:at]) {
			begins = append(begins, name[:at])
		}
	}
	if near := config.SuggestTypo(pattern[:at], begins); near != "" {
		return usagef("no flavour matches %q; did you mean %q?", pattern, near+pattern[at:])
	}
	return lists(usagef("no flavour matches %q", pattern))
}

// chosen are flavours that were chosen.
type chosen struct {
	names []string
	// outlines are their plans, nil if they were not needed.
	outlines []*build.Outline
	// changes are set for a comparison with a revision.
	changes *build.Changes
	times   build.Times
}

// choose finds the flavours that are meant by names and patterns and by the options. With
// planned, they are planned even if the options do not need that.
func (c *command) choose(ctx context.Context, p *config.Project, s *selection, patterns []string, planned bool) (*chosen, error) {
	names, err := matching(p, patterns)
	if err != nil {
		return nil, err
	}
	if len(s.times) > 0 && s.shard.of == 0 && !planned {
		return nil, usagef("--times is for --shard: without parts no time is needed")
	}
	out := &chosen{names: names}
	if !planned && !s.given() {
		return out, nil
	}
	if out.times, err = build.ReadTimes(s.times); err != nil {
		return nil, err
	}
	all, faults, err := c.builder.Outlines(ctx, p, names)
	if err != nil {
		return nil, err
	}
	if len(faults) > 0 {
		return nil, c.unplanned(names, faults)
	}
	if s.since != "" {
		if out.changes, err = c.builder.ChangedSince(ctx, p, all, s.since); err != nil {
			return nil, err
		}
		c.sayChanges(s, out.changes, patterns)
		all = slices.DeleteFunc(all, func(o *build.Outline) bool { return out.changes.Changed[o.Name] == "" })
	}
	out.outlines, out.names = all, nil
	for _, o := range all {
		out.names = append(out.names, o.Name)
	}
	if s.shard.of != 0 {
		out.names = build.Shard(all, out.times, s.shard.part, s.shard.of)
		out.outlines = slices.DeleteFunc(all, func(o *build.Outline) bool { return !slices.Contains(out.names, o.Name) })
	}
	return out, nil
}

// unplanned shows why flavours cannot be planned.
func (c *command) unplanned(names []string, faults map[string]error) error {
	shown := &diag.Faults{Outside: true} // none is left to show
	for _, name := range names {
		err := faults[name]
		if err == nil {
			continue
		}
		var conf *diag.Faults
		if errors.As(err, &conf) {
			c.diagnostics(&config.Project{Files: conf.Files}, conf.List)
			err, shown.Outside = errors.New("its faults are above"), shown.Outside && conf.Outside
		}
		c.say(fmt.Sprintf("flavour %q cannot be planned: %v", name, err))
	}
	c.say(fmt.Sprintf("nothing was chosen: %d of %s cannot be planned", len(faults), diag.Counted(len(names), "flavour")))
	return shown
}

// sayChanges reports flavours that are not in the list of changed ones: removed ones, and those that could not be compared.
func (c *command) sayChanges(s *selection, changes *build.Changes, patterns []string) {
	for _, line := range changes.Notes {
		c.say(line)
	}
	for _, name := range changes.Removed {
		meant := len(patterns) == 0
		for _, pattern := range patterns {
			hit, _ := path.Match(pattern, name) // it was matched before
			meant = meant || hit
		}
		if meant {
			c.say(fmt.Sprintf("flavour %s was removed since %s", name, s.since))
		}
	}
}

// nothing describes why the selection is empty.
func (s *selection) nothing() string {
	switch {
	case s.shard.of != 0 && s.since != "":
		return fmt.Sprintf("part %s is empty: no flavour in it changed since %s", s.shard.String(), s.since)
	case s.shard.of != 0:
		return fmt.Sprintf("part %s is empty: there are fewer flavours than parts", s.shard.String())
	case s.since != "":
		return "no flavour changed since " + s.since
	}
	return "the tree does not have flavours"
}
