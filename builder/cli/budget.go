package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/report"
)

var budgetVerb = &verb{
	name: "budget", args: "FLAVOUR", summary: "predict what machines download to upgrade",
	example: "./build budget debian-trixie-amd64-ostree --max 20MiB\n./build budget debian-trixie-amd64-ostree --from 3f2a9c81",
	details: `The upgrade is from the parent commit, or the one that --from names, to the commit
of the last build. The features and packages that the bytes come from are listed,
the largest first. A static delta that the repository has counts in place of the
objects. With --max, the exit status is 1 if more than that is downloaded.`,
	complete: "flavours", run: budgeting.run, flags: budgeting.flags,
}

// budgeting has the options of budget.
var budgeting budgetOptions

type budgetOptions struct {
	format, from string
	max          int64
	top          int
}

func (o *budgetOptions) flags(f *pflag.FlagSet, common *options) {
	planFlags(f, common)
	choiceVar(f, &o.format, "format", "text, markdown, or json for programs", "text", "json", "markdown")
	f.StringVar(&o.from, "from", "", "the `COMMIT` that machines have: a ref, or the beginning of a checksum (default: the parent of the last build's)")
	o.max, o.top = 0, 15
	f.Var(limit{&o.max}, "max", "how much may be downloaded, such as 20MiB")
	f.Var(amount{&o.top, 1, "a number of rows"}, "top", "how many features and packages are listed in text and markdown")
}

// limit is an option that takes a size; 0 is not a limit.
type limit struct{ value *int64 }

var limitSize = regexp.MustCompile(`^(\d+(?:\.\d+)?)(B|KiB|MiB|GiB)$`)

// Set implements [pflag.Value].
func (l limit) Set(text string) error {
	m := limitSize.FindStringSubmatch(text)
	if m == nil {
		return fmt.Errorf("takes a size in B, KiB, MiB or GiB, such as 20MiB, not %q%s", text, meantLimit(text))
	}
	n, err := strconv.ParseFloat(m[1], 64)
	n *= map[string]float64{"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}[m[2]]
	if err != nil || n < 1 || n >= math.MaxInt64 {
		return errors.New("takes a size from 1B on that fits into 63 bits, not " + text)
	}
	*l.value = int64(n)
	return nil
}

// meantLimit suggests the size that was meant, if text is nearly one.
func meantLimit(text string) string {
	m := regexp.MustCompile(`^(\d+(?:\.\d+)?) *([kKmMgG]?)i?[bB]?$`).FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	unit := strings.ToUpper(m[2]) + "iB"
	if m[2] == "" {
		unit = "B"
	}
	return fmt.Sprintf("; did you mean %s%s?", m[1], unit)
}

func (l limit) String() string {
	if *l.value == 0 {
		return ""
	}
	return strconv.FormatInt(*l.value, 10) + "B"
}

func (l limit) Type() string { return "SIZE" }

// budgetJSON is the prediction for programs.
type budgetJSON struct {
	*build.UpgradeSize
	// Max is the limit in bytes.
	Max      int64 `json:"max_bytes,omitempty"`
	Exceeded bool  `json:"exceeded"`
}

func (o *budgetOptions) run(ctx context.Context, c *command) error {
	if len(c.args) != 1 {
		return lists(usagef("budget takes one flavour"))
	}
	p, err := c.prepare(ctx, c.args[0], c.remarks())
	if err != nil {
		return err
	}
	defer p.Close()
	u, err := c.builder.UpgradeSize(p, o.from)
	if err != nil {
		return err
	}
	exceeded := o.max > 0 && u.Download() > o.max
	if o.format == "json" {
		err = writeJSON(c.Out, budgetJSON{u, o.max, exceeded})
	} else {
		_, err = c.Out.WriteString(o.text(u, exceeded))
	}
	if err == nil && exceeded {
		err = &diag.Ended{Status: exitFailed}
	}
	return err
}

// text is the prediction for people, as text or as Markdown.
func (o *budgetOptions) text(u *build.UpgradeSize, exceeded bool) string {
	var b strings.Builder
	objects := fmt.Sprintf("%s in %s", event.FormatBytes(u.Bytes), diag.Counted(u.Objects, "object"))
	if u.Delta == nil {
		fmt.Fprintf(&b, "From commit %.12s to %.12s machines download %s.\n", u.From, u.To, objects)
	} else {
		fmt.Fprintf(&b, "From commit %.12s to %.12s machines download %s with the static delta,\nin place of %s.\n", u.From, u.To, event.FormatBytes(*u.Delta), objects)
	}
	if o.max > 0 {
		verdict := "within"
		if exceeded {
			verdict = "above"
		}
		fmt.Fprintf(&b, "That is %s the limit of %s.\n", verdict, event.FormatBytes(o.max))
	}
	for _, part := range []struct {
		title string
		items []report.Item
	}{{"feature", u.Features}, {"package", u.Packages}} {
		items := topItems(part.items, o.top, u.Bytes)
		if o.format != "markdown" {
			fmt.Fprintf(&b, "\nBy %s\n%s", part.title, itemRows(items, u.Bytes))
			continue
		}
		fmt.Fprintf(&b, "\n| %s | download |\n|---|---:|\n", part.title)
		for _, item := range items {
			fmt.Fprintf(&b, "| %s | %s |\n", strings.ReplaceAll(visible(item.Name), "|", `\|`), event.FormatBytes(item.Bytes))
		}
	}
	return b.String()
}
