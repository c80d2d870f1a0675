package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// What sources of a distribution are called beside [MainSource]; no other source
// can have these names.
const (
	SecuritySource  = "security"
	UpdatesSource   = "updates"
	BackportsSource = "backports"
)

var reservedSources = []string{MainSource, SecuritySource, UpdatesSource, BackportsSource}

// listNames are what a machine's own lists of those sources are called.
var listNames = []string{"debian", "debian-security", "debian-updates", "debian-backports"}

var (
	archiveSuite   = regexp.MustCompile(`^(\./|/|[A-Za-z0-9][A-Za-z0-9.+~_-]*(/[A-Za-z0-9.+~_-]+)*/?)$`)
	packagePattern = regexp.MustCompile(`^[a-z0-9*?][a-z0-9.+*?-]*$`)
)

// The bounds of a priority, which apt keeps in 16 bits.
const minPriority, maxPriority = -32768, 32767

// sourceDraft is a source as one block writes it. What is nil was not written
// there.
type sourceDraft struct {
	name string
	at   hcl.Range
	// lists are the fields that are lists of strings, by name.
	lists     map[string][]text
	keyring   *text
	ca        *text
	priority  *int64
	onMachine *decision
	// places are where single values are written, by field.
	places map[string]hcl.Range
	// open reports that something was written and is at fault, by field.
	open map[string]bool
}

// decision is true or false with its place. A nil *decision was not written.
type decision struct {
	value bool
	at    hcl.Range
}

func (s *scope) flag(attr boolAttr) (*decision, hcl.Diagnostics) {
	if attr == nil {
		return nil, nil
	}
	v, diags := s.value(attr.Expr)
	if !v.IsWhollyKnown() || v.IsNull() {
		return nil, diags
	}
	b, ds := s.boolean(attr)
	if ds.HasErrors() {
		return nil, ds
	}
	return &decision{b, attr.Expr.Range()}, diags
}

// sourceDrafts reads sources of a flavour, or of the feature f.
func (l *loader) sourceDrafts(blocks []*sourceBlock, s *scope, f *Feature, keyring func(*text)) []*sourceDraft {
	var out []*sourceDraft
	first := map[string]hcl.Range{}
	for _, b := range blocks {
		at, again := first[b.Name]
		switch {
		case again:
			l.say(Fault(b.NameRange, "Duplicate source", "There is a source %q already at %s.", b.Name, PlaceOf(at)))
			continue
		case slices.Contains(reservedSources, b.Name):
			l.say(Fault(b.NameRange, "Reserved name", "The distribution's own sources are called %s; what they are is said by its fields mirror, security_mirror, security, updates and backports.", strings.Join(reservedSources, ", ")))
		case slices.Contains(listNames, b.Name):
			l.say(Fault(b.NameRange, "Reserved name", "On a machine, the file %s.sources lists what the distribution itself has. Give the source another name.", b.Name))
		case !sourcePattern.MatchString(b.Name):
			l.say(Fault(b.NameRange, "Invalid name", "%q cannot be a source's name: small letters, digits, . and - can, beginning with a letter or digit.", b.Name))
		}
		first[b.Name] = b.NameRange
		draft := l.sourceDraft(b, s, keyring)
		draft.ca = l.authority(s, b.CA, f)
		out = append(out, draft)
	}
	return out
}

func (l *loader) sourceDraft(b *sourceBlock, s *scope, keyring func(*text)) *sourceDraft {
	d := &sourceDraft{name: b.Name, at: b.NameRange, lists: map[string][]text{}, places: map[string]hcl.Range{}, open: map[string]bool{}}
	for _, f := range []struct {
		name  string
		attr  listAttr
		check func(*text) string
	}{
		{"urls", b.URLs, checkSourceURL}, {"suites", b.Suites, checkSourceSuite}, {"components", b.Components, checkComponent},
		{"architectures", b.Architectures, checkArch}, {"packages", b.Packages, checkPattern},
	} {
		list, bad, diags := s.list(f.attr)
		l.say(diags...)
		if d.open[f.name] = bad || misused(b.Body, f.name); list == nil {
			continue
		}
		if len(list) == 0 && !bad {
			l.say(Fault(f.attr.Expr.Range(), "Empty list", "%s names nothing: omit it, or say what the source %q has.", f.name, b.Name))
			d.open[f.name] = true
		}
		kept := []text{}
		for _, t := range list {
			switch problem := f.check(&t); {
			case problem != "":
				d.open[f.name] = true
				l.say(Fault(t.at, "Invalid source", "%q %s", t.value, problem))
			case slices.ContainsFunc(kept, func(k text) bool { return k.value == t.value }):
				l.say(Fault(t.at, "Named twice", "%q is in %s already.", t.value, f.name))
			default:
				kept = append(kept, t)
			}
		}
		d.lists[f.name] = kept
	}
	var diags hcl.Diagnostics
	d.keyring, diags = s.str(b.Keyring)
	l.say(diags...)
	if d.keyring != nil && !d.keyring.bad {
		keyring(d.keyring)
	}
	if d.priority, diags = s.integer(b.Priority); d.priority != nil {
		d.places["priority"] = b.Priority.Expr.Range()
		if p := *d.priority; p == 0 || p < minPriority || p > maxPriority {
			l.say(Fault(d.places["priority"], "Invalid priority", "A priority is a whole number of %d to %d, but not 0: see apt_preferences(5).", minPriority, maxPriority))
		}
	}
	l.say(diags...)
	d.onMachine, diags = s.flag(b.OnMachine)
	l.say(diags...)
	return d
}

func checkSourceURL(t *text) string {
	t.value = strings.TrimRight(t.value, "/")
	return checkMirror(t.value)
}

func checkSourceSuite(t *text) string {
	if name, below := strings.CutPrefix(t.value, "dists/"); below && name != "" && !flat(name) {
		return fmt.Sprintf("begins with dists/, where suites are in any case: write %q.", name)
	}
	if !archiveSuite.MatchString(t.value) || strings.Contains("/"+t.value+"/", "/../") {
		return "cannot be a suite: it is a directory below dists/, as in trixie, or one with an archive without components, as in ./"
	}
	return ""
}

func checkComponent(t *text) string {
	if !componentPattern.MatchString(t.value) {
		return "cannot be a component of an archive; main and contrib are some."
	}
	return ""
}

func checkArch(t *text) string {
	if !slices.Contains(dpkgArchitectures, t.value) {
		return "is not an architecture of Debian; amd64 and i386 are some." + DidYouMean(t.value, dpkgArchitectures)
	}
	return ""
}

func checkPattern(t *text) string {
	if !packagePattern.MatchString(t.value) {
		return `is not a pattern of package names: small letters, digits, "+", "-" and "." mean themselves, "*" for any text, "?" for one character.`
	}
	return ""
}

// flat reports that a suite is a directory without components.
func flat(suite string) bool { return strings.HasSuffix(suite, "/") }

// wholeSource judges what only all of a source can tell.
func (l *loader) wholeSource(d *sourceDraft) bool {
	for _, field := range []string{"urls", "suites"} {
		if len(d.lists[field]) == 0 {
			if !d.open[field] {
				l.say(Fault(d.at, "Incomplete source", "The source %q needs %s.", d.name, field))
			}
			return false
		}
	}
	if m := d.onMachine; m != nil && m.value && !slices.ContainsFunc(d.lists["urls"], func(t text) bool { return !isDirectory(t.value) }) {
		l.say(Fault(m.at, "Source that machines cannot read", "The source %q is a directory of the machine that builds. Add the URL that machines read it from, or leave out on_machine.", d.name))
		return false
	}
	if !slices.ContainsFunc(d.lists["urls"], func(t text) bool { return strings.HasPrefix(t.value, "https:") }) {
		l.vainAuthority(d.ca)
	}
	for _, t := range d.lists["suites"] {
		if c := d.lists["components"]; flat(t.value) && len(c) > 0 {
			l.say(Fault(c[0].at, "Components without effect", "The archive in the directory %q has no components: omit them, or let another source have it.", t.value))
			return false
		}
	}
	return true
}

// inherit fills in what a source of the same name in the extended flavour writes.
func (d *sourceDraft) inherit(base *sourceDraft) *sourceDraft {
	w := *d
	w.lists, w.places, w.open = maps.Clone(base.lists), maps.Clone(base.places), maps.Clone(base.open)
	maps.Copy(w.lists, d.lists)
	maps.Copy(w.places, d.places)
	for field, open := range d.open {
		w.open[field] = w.open[field] || open
	}
	w.keyring, w.ca = or(d.keyring, base.keyring), or(d.ca, base.ca)
	if d.priority == nil {
		w.priority = base.priority
	}
	if d.onMachine == nil {
		w.onMachine = base.onMachine
	}
	return &w
}

// source is a draft that is whole.
func (d *sourceDraft) source() Source {
	s := Source{
		Name: d.name, URLs: names(d.lists["urls"]), Suites: names(d.lists["suites"]), Components: names(d.lists["components"]),
		Architectures: names(d.lists["architectures"]), Packages: names(d.lists["packages"]), Range: d.at, Places: map[string][]hcl.Range{},
	}
	for field, list := range d.lists {
		for _, t := range list {
			s.Places[field] = append(s.Places[field], t.at)
		}
	}
	if len(s.Components) == 0 && !flat(s.Suites[0]) {
		s.Components = []string{tagOf[sourceBlock]("Components", "default")}
	}
	if d.keyring != nil && !d.keyring.bad {
		s.Keyring, s.Places["keyring"] = d.keyring.value, []hcl.Range{d.keyring.at}
	}
	s.setAuthority(d.ca)
	if d.priority != nil {
		s.Priority, s.Places["priority"] = int(*d.priority), []hcl.Range{d.places["priority"]}
	}
	s.OnMachine = d.onMachine != nil && d.onMachine.value
	return s
}

// keyringOfTree checks that the keyring that a flavour names is there.
func (l *loader) keyringOfTree(t *text) {
	if l.noPath(t, "keyring") || l.opts.Keyring == nil {
		return
	}
	if err := l.opts.Keyring(t.value); err != nil {
		t.bad = true
		l.missingKeyring(t, err, "")
	}
}

// missingKeyring reports a keyring that cannot be read, with what may have been
// meant, of the files in a directory of the tree.
func (l *loader) missingKeyring(t *text, err error, dir string) {
	if !errors.Is(err, fs.ErrNotExist) {
		l.say(Fault(t.at, "Cannot read keyring", "The release file must be signed by %q, but %s.", t.value, err))
		return
	}
	l.say(Fault(t.at, "Missing keyring", "The keyring %q, which the release file must be signed by, does not exist.%s", t.value, l.nearFile(dir, t.value, ".gpg", ".asc", ".pgp")))
}
