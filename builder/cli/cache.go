package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/cache"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/event"
)

var cacheVerb = &verb{
	name: "cache", args: "[list|prune|verify|clear]", summary: "show, reduce or check what is kept for later builds",
	example: "./build cache prune --older-than 30",
	details: `list shows the results in the cache, the largest first, and the budget. Each build
reduces the cache to the budget: what was used the longest ago is removed first.
prune removes what was not used for --older-than days, and downloads that no
result contains. verify reads the whole cache, and removes what is damaged, so that
a build makes it again; it fails if anything was damaged. clear removes everything.
What running builds, shells and virtual machines use is never removed. Artifacts
and histories are not in the cache.`,
	complete: "list prune verify clear", run: caching.run, flags: caching.flags,
}

// caching has the options of cache.
var caching cacheOptions

type cacheOptions struct{ olderDays int }

func (o *cacheOptions) flags(f *pflag.FlagSet, _ *options) {
	o.olderDays = 14
	f.Var(amount{&o.olderDays, 0, "a number of days"}, "older-than", "prune: days since the last use")
}

func (o *cacheOptions) run(ctx context.Context, c *command) error {
	what := "list"
	if len(c.args) > 0 {
		what = c.args[0]
	}
	if len(c.args) > 1 {
		return usagef("cache takes one of list, prune, verify and clear")
	}
	switch what {
	case "list":
		return c.cacheList()
	case "prune":
		return c.cachePrune(o.olderDays)
	case "verify":
		return c.cacheVerify(ctx)
	case "clear":
		return c.cacheClear()
	}
	return usagef("cache takes %s", oneOf(what, strings.Fields(c.verb.complete)))
}

func (c *command) cacheList() error {
	kept, err := cache.Open(c.options.cache)
	if err != nil {
		return err
	}
	o, err := kept.Overview(c.budget())
	if err != nil {
		return err
	}
	t := table{head: []string{"STEP", "KEY", "SIZE", "MADE IN", "LAST USED"}, below: []string{"KEY", "LAST USED", "MADE IN"}}
	for _, e := range o.Results {
		t.add(e.Step, e.Key[:12], event.FormatBytes(e.Size), event.FormatDuration(e.Duration), e.Used.Format("2006-01-02 15:04"))
	}
	if err := t.write(c.Out, c.width()); err != nil {
		return err
	}
	fmt.Fprintln(c.Out)
	for _, a := range o.Areas {
		switch {
		case a.Area == cache.Results:
			fmt.Fprintf(c.Out, "%s: %s\n", diag.Counted(a.Items, "result"), event.FormatBytes(a.Bytes))
		case a.Bytes > 0:
			fmt.Fprintf(c.Out, "%s: %s\n", a.What, event.FormatBytes(a.Bytes))
		}
	}
	budget := "no limit"
	if o.Limit >= 0 {
		budget = fmt.Sprintf("%s (%s)", event.FormatBytes(o.Limit), c.budget())
	}
	fmt.Fprintf(c.Out, "used: %s\nbudget: %s\nfree on the disk: %s\n", event.FormatBytes(o.Used), budget, event.FormatBytes(o.Free))
	return nil
}

// cachePrune removes what nobody used for some time. A result whose inputs are
// gone still serves; one whose inputs are needed again is made again.
func (c *command) cachePrune(days int) error {
	kept, err := cache.Open(c.options.cache)
	if err != nil {
		return err
	}
	p, err := kept.Prune(time.Now().AddDate(0, 0, -days), false)
	if err != nil {
		return err
	}
	if p.Useless > 0 {
		fmt.Fprintf(c.Out, "removed %s that no build uses: damaged, or made by another version of treewright\n", diag.Counted(p.Useless, "result"))
	}
	fmt.Fprintf(c.Out, "removed %d of %s, %s that no result contains, and %s: %s\n",
		p.Results, diag.Counted(p.OfResults, "result"), diag.Counted(p.Downloads, "downloaded package"), diag.Counted(p.Others, "other"), event.FormatBytes(p.Bytes))
	c.sayKept(p)
	return nil
}

// cacheVerify reads all of the cache. That something was damaged is an error, as
// somebody should know who asks for it each night.
func (c *command) cacheVerify(ctx context.Context) error {
	v, err := c.builder.VerifyCache(ctx, func(line string) { fmt.Fprintln(c.Out, line) })
	if err != nil {
		return err
	}
	what := strings.Join(v.Counts, ", ")
	if v.Others > 0 {
		fmt.Fprintf(c.Out, "%s of another version of treewright, which no build uses\n", diag.Counted(v.Others, "result"))
	}
	if v.Damaged > 0 {
		return fmt.Errorf("verify the cache: of %s (%s), %d were damaged and have been removed: builds that need them make or download them again", what, event.FormatBytes(v.Bytes), v.Damaged)
	}
	fmt.Fprintf(c.Out, "checked %s (%s): nothing is damaged\n", what, event.FormatBytes(v.Bytes))
	return nil
}

// sayKept tells of what would have been removed if nobody relied on it.
func (c *command) sayKept(p cache.Pruned) {
	if p.Kept > 0 {
		fmt.Fprintf(c.Out, "%d were kept: a running build, shell or machine uses them\n", p.Kept)
	}
}

func (c *command) cacheClear() error {
	kept, err := cache.Open(c.options.cache)
	if err != nil {
		return err
	}
	p, err := kept.Prune(time.Now(), true)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.Out, "emptied the cache %s: removed %s, %s and %s: %s\n",
		c.options.cache, diag.Counted(p.Results+p.Useless, "result"), diag.Counted(p.Downloads, "downloaded package"), diag.Counted(p.Others, "other"), event.FormatBytes(p.Bytes))
	c.sayKept(p)
	return nil
}
