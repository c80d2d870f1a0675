package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"text/tabwriter"
	"time"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
)

var cacheVerb = &verb{
	name: "cache", args: "[list|prune|verify|clear]", summary: "show, reduce or check what is kept for later builds",
	details: `list shows the results in the cache, the largest first. prune removes those that
no build used for --older-than days, and downloads that nothing refers to.
verify reads all of it, and removes what is not as it was made or downloaded: a
build makes it again. It fails if there was any.
clear removes the whole cache. Artifacts and histories are not in the cache.`,
	complete: "list prune verify clear", run: runCache,
	flags: func(f *pflag.FlagSet, o *options) {
		f.IntVar(&o.olderDays, "older-than", 14, "prune: days since the last use")
	},
}

func runCache(ctx context.Context, c *command) error {
	what := "list"
	if len(c.args) > 0 {
		what = c.args[0]
	}
	if len(c.args) > 1 {
		return usagef("cache wants one of list, prune, verify, clear")
	}
	switch what {
	case "list":
		return c.cacheList()
	case "prune":
		return c.cachePrune()
	case "verify":
		return c.cacheVerify(ctx)
	case "clear":
		return c.cacheClear()
	}
	return usagef("cache wants one of list, prune, verify, clear, not %q", what)
}

// cacheParts are the folders of the cache besides the store.
var cacheParts = []struct{ dir, what string }{
	{"packages", "downloaded packages"}, {"apt", "package indices"}, {"resolved", "resolved package sets"},
	{"sources", "snapshots of features"}, {"history", "downloaded histories"}, {"plans", "records of builds"},
}

func (c *command) cacheList() error {
	store, err := layer.Open(filepath.Join(c.options.cache, "store"))
	if err != nil {
		return err
	}
	entries, err := store.List(true)
	if err != nil {
		return err
	}
	sort.Slice(entries, func(i, j int) bool { return entries[i].Size > entries[j].Size })
	w := tabwriter.NewWriter(c.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "STEP\tKEY\tSIZE\tMADE IN\tLAST USED")
	var total int64
	for _, e := range entries {
		total += e.Size
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", e.Step, e.Key[:12], event.FormatBytes(e.Size), event.FormatDuration(e.Duration), e.Used.Format("2006-01-02 15:04"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(c.Out, "\n%d results, %s\n", len(entries), event.FormatBytes(total))
	for _, part := range cacheParts {
		if n := layer.DiskUsage(filepath.Join(c.options.cache, part.dir)); n > 0 {
			fmt.Fprintf(c.Out, "%s: %s\n", part.what, event.FormatBytes(n))
		}
	}
	return nil
}

// cachePrune removes results by the time of their last use. A result whose
// inputs are gone still serves; one whose inputs are needed again is made
// again.
func (c *command) cachePrune() error {
	store, err := layer.Open(filepath.Join(c.options.cache, "store"))
	if err != nil {
		return err
	}
	if _, err := store.Sweep(); err != nil {
		return err
	}
	entries, err := store.List(false)
	if err != nil {
		return err
	}
	limit := time.Now().AddDate(0, 0, -c.options.olderDays)
	removed := 0
	for _, e := range entries {
		if e.Used.After(limit) {
			continue
		}
		gone, err := store.Remove(e.Key, limit)
		if err != nil {
			return err
		}
		if gone {
			removed++
		}
	}
	useless, err := store.Useless()
	if err != nil {
		return err
	}
	for _, key := range useless {
		if _, err := store.Remove(key, time.Now()); err != nil {
			return err
		}
	}
	orphans, err := pruneDownloads(filepath.Join(c.options.cache, "packages"))
	if err != nil {
		return err
	}
	if len(useless) > 0 {
		fmt.Fprintf(c.Out, "removed %d results that are damaged or that another version of treewright made\n", len(useless))
	}
	fmt.Fprintf(c.Out, "removed %d of %d results and %d downloaded packages that nothing refers to\n", removed, len(entries), orphans)
	return nil
}

// pruneDownloads removes packages that no result links any more.
func pruneDownloads(dir string) (int, error) {
	files, err := layer.Glob(dir, "sha256/*/*")
	if err != nil {
		return 0, err
	}
	removed := 0
	for _, f := range files {
		if links, err := layer.Links(f); err != nil || links > 1 {
			continue
		}
		if err := os.Remove(f); err != nil {
			return removed, err
		}
		removed++
	}
	return removed, nil
}

func (c *command) cacheClear() error {
	parts := []string{"store"}
	for _, p := range cacheParts {
		parts = append(parts, p.dir)
	}
	for _, dir := range parts {
		if err := os.RemoveAll(filepath.Join(c.options.cache, dir)); err != nil {
			return err
		}
	}
	fmt.Fprintf(c.Out, "removed the cache %s\n", c.options.cache)
	return nil
}
