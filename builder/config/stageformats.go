package config

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// stageParameters are such parameters, by stage, in every feature that stands
// for it: they end in names of files, in configuration files, and on the
// kernel's command line. Unlike a format that is written down, this one leaves it
// at blanks between a list's elements where scripts get them.
var stageParameters = map[string]map[string]stageWish{
	"commit": {
		"os_name": {format: "name", filled: true}, "ref": {format: "ostree-ref", filled: true}, "remote_name": {format: "name", filled: true},
		"remote_url": {format: "public-url"}, "archive_url": {format: "url"}, "subject": {format: "line"},
		"first_commit": {is: Bool}, "pool": {is: List},
	},
	"image": {
		"stateroot": {format: "name"}, "kargs": {is: List, format: "line"}, "formats": {is: List, choices: true},
		"free_space_mib": {is: Int, most: 64 << 20}, "boot_timeout_s": {is: Int, least: -1, most: 1<<31 - 1}, "boot_tries": {is: Int, most: 20},
	},
}

// readWish notes what a feature's stage wants of a parameter. values are those that
// the feature limits it to.
func (l *loader) readWish(f *Feature, p *Parameter, values []text) {
	p.stage = stageParameters[f.Stage][p.Name]
	if want := p.stage.is; want != "" && p.Type != want {
		l.say(Fault(p.Range, "Wrong type", "The stage %s reads %q as type %s, but it is declared as type %s.", f.Stage, p.Name, want, p.Type))
	}
	if !p.stage.choices {
		return
	}
	known := l.opts.Choices[f.Stage][p.Name]
	for _, v := range values {
		if known != nil && !slices.Contains(known, v.value) {
			l.say(Fault(v.at, "Value not allowed", "The stage %s can make %s, not %q.%s", f.Stage, strings.Join(known, ", "), v.value, DidYouMean(v.value, known)))
		}
	}
	if len(values) == 0 {
		p.Values = known
	}
}

// choicesProblem is [Parameter.Problem] of a list of what a stage is to make.
func (p *Parameter) choicesProblem(list []string) string {
	if len(list) == 0 {
		return fmt.Sprintf("has to name at least one of %s.", strings.Join(p.Values, ", "))
	}
	for i, s := range list {
		if slices.Contains(list[:i], s) {
			return fmt.Sprintf("names %q twice.", s)
		}
	}
	return ""
}

// longestFile is how long names that become part of a file's name can be, with
// space for what is put around them; longestRef bounds a path below refs/heads.
const longestFile, longestRef = 64, 255

var (
	nameFormat = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	refPart    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]*$`)
	strange    = regexp.MustCompile(`[^A-Za-z0-9._-]+`)
	checksum   = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// repaired is what a name was probably meant to be.
func repaired(s string) string { return strings.Trim(strange.ReplaceAllString(s, "-"), "._-") }

func nameProblem(s string) string {
	if utf8.RuneCountInString(s) > longestFile {
		return fmt.Sprintf("a name of at most %d characters; this one has %d.", longestFile, utf8.RuneCountInString(s))
	}
	if nameFormat.MatchString(s) {
		return ""
	}
	hint := ""
	if r := repaired(s); r != "" {
		hint = fmt.Sprintf(" Did you mean %q?", r)
	}
	return fmt.Sprintf("a name that a file can have, not %q: letters, digits, ., _ and -, beginning with a letter or digit.%s", s, hint)
}

// refProblem goes by what ostree takes for a ref, without those that it takes
// for something else as well: a commit's checksum, an option, a range.
func refProblem(s string) string {
	if len(s) > longestRef {
		return fmt.Sprintf("a ref of OSTree of at most %d characters; this one has %d.", longestRef, len(s))
	}
	if checksum.MatchString(s) {
		return "a ref of OSTree; this one would be taken for the checksum of a commit."
	}
	parts := strings.Split(s, "/")
	var meant []string
	bad := false
	for _, part := range parts {
		bad = bad || !refPart.MatchString(part) || strings.Contains(part, "..")
		if r := repaired(strings.ReplaceAll(part, "..", "-")); r != "" {
			meant = append(meant, r)
		}
	}
	if !bad {
		return ""
	}
	hint := ""
	if len(meant) > 0 {
		hint = fmt.Sprintf(" Did you mean %q?", strings.Join(meant, "/"))
	}
	return fmt.Sprintf("a ref of OSTree, as debian/testing/amd64, not %q: names of letters, digits, ., _ and -, joined by /, none of them beginning with . or -.%s", s, hint)
}

func urlProblem(s string) string {
	if problem := webProblem(s); problem != "" {
		return fmt.Sprintf("a URL, as https://HOST/PATH, not %q: %s", s, problem)
	}
	return ""
}

// publicURLProblem is for what becomes part of the system.
func publicURLProblem(s string) string {
	u, err := url.Parse(s)
	if err == nil && u.Scheme == "file" && u.Host == "" && path.IsAbs(u.Path) && oddURL(s) == "" {
		return ""
	}
	if problem := urlProblem(s); problem != "" {
		return problem
	}
	if _, ok := u.User.Password(); ok {
		return "a URL without a password: everyone who gets the system could read it there."
	}
	return ""
}

// oddURL finds what no URL holds as it is, and what would end it in a
// configuration file.
func oddURL(s string) string {
	switch {
	case !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
		return "there is a blank or a control character in it; a blank is written %20."
	case strings.ContainsAny(s, "\"'`\\<>{}|^"):
		return "there is a quote, a backslash or a bracket in it."
	}
	return ""
}

func webProblem(s string) string {
	if problem := oddURL(s); problem != "" {
		return problem
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return "it cannot be parsed; is there a character that must be written as %XX?"
	case u.Scheme != "http" && u.Scheme != "https":
		hint := ""
		if !strings.Contains(s, "://") {
			hint = fmt.Sprintf(" Did you mean %q?", "https://"+strings.TrimLeft(s, "/"))
		}
		return "it begins with neither http:// nor https://." + hint
	case u.Hostname() == "":
		return "it has no host."
	case u.RawQuery != "" || u.Fragment != "":
		return "it has a query or fragment, but names of files are added to it."
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return fmt.Sprintf("it has the port %s; ports go from 1 to 65535.", port)
		}
	}
	return ""
}

// longestLine is about what the kernel's command line can hold.
const longestLine = 2000

func lineProblem(s string) string {
	switch {
	case s == "":
		return "one line of text, not an empty one."
	case len(s) > longestLine:
		return fmt.Sprintf("one line of text of at most %d bytes; this one has %d.", longestLine, len(s))
	case !utf8.ValidString(s):
		return "one line of text in UTF-8."
	case strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }):
		return fmt.Sprintf("one line of text, not %q: there is a line end or another control character in it.", s)
	}
	return ""
}
