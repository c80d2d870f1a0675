package serve

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"net/url"
	"os"
	"path"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/report"
)

//go:embed page.html
var pageText string

var page = sync.OnceValue(func() *template.Template { return report.Page(pageText) })

// policy is the Content-Security-Policy of what is served as HTML: it runs no program, and loads
// nothing.
const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// view is what the page says beyond what is served.
type view struct {
	// base is the URL at which the page's reader finds it, without a slash at the end.
	base string
	// now is zero, and pulls nil, for a page that is written to a file.
	now   time.Time
	pulls func(flavour, commit string) int64
	// report reports that a flavour has a report for everybody.
	report func(flavour string) bool
}

// card is a flavour, as the page has it.
type card struct {
	Name, Description, System       string
	Ref, Commit, Version, When, Age string
	Size                            int64
	Packages                        int
	Changes                         *counted
	Upgrade                         string
	More                            bool
	Extensions                      []extension
	Past                            []pastCard
	Links                           []link
	Artifacts                       []indexArtifact
}

type link struct{ URL, Text string }

type extension struct{ Name, Lines string }

// counted are changes with their number.
type counted struct {
	*report.Changes
	Count int
}

type pastCard struct {
	past
	When  string
	Pulls int
}

// html writes the page. All its links are relative to it.
func (l *listing) html(v view) []byte {
	var cards []card
	for _, f := range l.flavours {
		cards = append(cards, f.card(v))
	}
	var b bytes.Buffer
	if err := page().Execute(&b, map[string]any{"Style": report.Style(), "Cards": cards, "Live": !v.now.IsZero()}); err != nil {
		panic(err) // only a fault in the template itself, which tests run
	}
	return b.Bytes()
}

func (f *flavour) card(v view) card {
	s := f.summary
	c := card{
		Name: f.name, Description: strings.TrimSuffix(s.Description, "."), Ref: s.Ref, Commit: s.Commit, Version: s.Version,
		Packages: len(s.Packages), More: f.more, Upgrade: f.upgrade(v.base),
	}
	if d := s.Distribution; d.Family != "" {
		c.System = fmt.Sprintf("%s%s %s, %s", strings.ToUpper(d.Family[:1]), d.Family[1:], d.Suite, d.Arch)
	}
	for i, p := range f.past {
		row := pastCard{past: p, When: p.Time.Format("2006-01-02 15:04 UTC")}
		if v.pulls != nil {
			row.Pulls = int(v.pulls(f.name, p.Commit))
		}
		c.Past = append(c.Past, row)
		if i > 0 {
			continue
		}
		c.When = p.Time.Format("2006-01-02")
		if !v.now.IsZero() {
			c.Age = age(v.now.Sub(p.Time))
		}
		if p.Changes != nil {
			c.Changes = &counted{p.Changes, len(p.Changes.Changed) + len(p.Changes.Added) + len(p.Changes.Removed)}
		}
	}
	for _, a := range f.artifacts {
		c.Size += a.Size
		c.Artifacts = append(c.Artifacts, indexArtifact{a, relative(f.name, a.Name)})
		name, raw := strings.CutSuffix(a.Name, ".raw")
		if _, ok := s.Extensions[name]; ok && raw && a.Kind == plan.FileArtifact {
			c.Extensions = append(c.Extensions, extension{name, fmt.Sprintf("mkdir -p /var/lib/extensions\ncurl -fo %s %s\nsystemd-sysext refresh",
				quote("/var/lib/extensions/"+a.Name), quote(v.base+urlPath(f.name, a.Name)))})
		}
	}
	c.Links = []link{{relative(f.name, publish.SumsName), publish.SumsName}}
	if f.artifact(publish.SummaryName) == nil {
		c.Links = append(c.Links, link{relative(f.name, publish.SummaryName), "manifest"})
	}
	if v.report(f.name) {
		c.Links = append(c.Links, link{relative(f.name, reportName), "report"})
	}
	return c
}

// upgrade are the commands by which a machine follows the flavour.
func (f *flavour) upgrade(base string) string {
	repo := f.repository()
	if repo == nil || f.summary.Ref == "" {
		return ""
	}
	remote, verify := quote(f.summary.Remote), "--no-gpg-verify"
	if f.summary.SignedBy != "" {
		// The keys are in the system.
		verify = "--set=gpg-verify=true --set=gpg-verify-summary=true"
	}
	return fmt.Sprintf("ostree remote delete --if-exists %s\nostree remote add %s %s %s\nostree admin upgrade", remote, verify, remote, quote(base+urlPath(f.name, repo.Name)))
}

// relative is a URL that leads from the page to a name of a flavour.
func relative(names ...string) string { return (&url.URL{Path: strings.Join(names, "/")}).String() }

var plainWord = regexp.MustCompile(`^[A-Za-z0-9@%+=:,./_-]+$`)

// quote makes a word of a shell of any text.
func quote(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// age is a time as people say it, rounded down.
func age(d time.Duration) string {
	say := func(n int, unit string) string {
		if n != 1 {
			unit += "s"
		}
		return fmt.Sprintf("%d %s", n, unit)
	}
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < time.Hour:
		return say(int(d/time.Minute), "minute")
	case d < 48*time.Hour:
		return say(int(d/time.Hour), "hour")
	default:
		return say(int(d/(24*time.Hour)), "day")
	}
}

// hasReport reports whether somebody put a report beside a flavour's artifacts. A link
// may lead anywhere, so it does not count.
func hasReport(root *os.Root, f *flavour) bool {
	if f == nil || f.artifact(reportName) != nil {
		return false
	}
	info, err := root.Lstat(path.Join(f.name, reportName))
	return err == nil && info.Mode().IsRegular()
}
