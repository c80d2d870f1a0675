package config

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Problem describes what is wrong with a value by what its parameter declares beside
// its type, as the end of a sentence that begins with the parameter's name; "" if
// nothing is. The value is one of the parameter's type. An empty string means
// none; in a list it is judged as any other.
func (p *Parameter) Problem(value any) string {
	var all []string
	for _, problem := range p.problems(value) {
		if problem.element >= 0 {
			problem.text = fmt.Sprintf("(element %d) %s", problem.element+1, problem.text)
		}
		all = append(all, problem.text)
	}
	return strings.Join(all, " And ")
}

// problem is what is wrong with a value, or with one element of a list.
type problem struct {
	element int // -1 for the whole
	text    string
}

func (p *Parameter) problems(value any) []problem {
	whole := func(text string) []problem { return []problem{{-1, text + p.forExample()}} }
	if s, ok := value.(string); ok && s == "" {
		if p.stage.filled || p.Required {
			return whole("has to be filled in: it must not be empty.")
		}
		return nil
	}
	if s, ok := value.(string); ok && p.Secret {
		if text := secretNameProblem(s); text != "" {
			return whole(text)
		}
		return nil
	}
	if list, ok := value.([]string); ok && p.stage.choices {
		if text := p.choicesProblem(list); text != "" {
			return whole(text)
		}
		return nil
	}
	if text := p.boundProblem(value); text != "" {
		return whole(text)
	}
	switch v := value.(type) {
	case string:
		if text := p.stringProblem(v); text != "" {
			return whole(text)
		}
	case []string:
		var all []problem
		for i, s := range v {
			if text := p.stringProblem(s); text != "" {
				all = append(all, problem{i, text + p.forExample()})
			}
		}
		return all
	}
	return nil
}

// stringProblem judges a string, or one of a list, by format and pattern.
func (p *Parameter) stringProblem(s string) string {
	if check := formats[cmp.Or(p.Format, p.stage.format)]; check != nil {
		if text := check(s); text != "" {
			return "has to be " + text
		}
	}
	if p.Pattern != nil && !p.Pattern.MatchString(s) {
		return fmt.Sprintf("has to match the pattern %s as a whole; %q does not.", p.written, s)
	}
	return ""
}

// formats hold, for each format, what tells a string that is not of it: the
// end of a sentence ("has to be a ...").
var formats = map[string]func(string) string{
	"host-name":      hostNameProblem,
	"line":           lineProblem,
	"name":           nameProblem,
	"ostree-ref":     refProblem,
	"public-url":     publicURLProblem,
	"ssh-public-key": sshKeyProblem,
	"url":            urlProblem,
	"user-name":      userNameProblem,
}

// readFormat takes in what a parameter says of its values and of others.
func (l *loader) readFormat(p *Parameter, b *parameterBlock) {
	if format := l.choice("format", b.Format, parameterFormats); format != nil && !format.bad {
		p.Format = format.value
		if p.Type != String && p.Type != List {
			l.say(Fault(format.at, "Format without effect", "Only strings and lists can have a format; %q is of type %s.", b.Name, p.Type))
		}
	}
	p.Requires = l.plainText(b.Requires)
	if b.Requires != nil {
		p.RequiresRange = b.Requires.Expr.Range()
	}
}

// checkValues finds values that are there twice, or that format, pattern or bounds do
// not allow.
func (l *loader) checkValues(p *Parameter, values []text) {
	one := *p
	if p.Type == List {
		one.Min, one.Max = nil, nil // they count elements
	}
	for i, v := range values {
		if first := indexOf(values[:i], v.value); first >= 0 {
			l.say(Fault(v.at, "Value named twice", "%q is named already at %s.", v.value, PlaceOf(values[first].at)))
		}
		if text := cmp.Or(one.boundProblem(v.value), one.stringProblem(v.value)); text != "" && v.value != "" {
			l.say(Fault(v.at, "Invalid value", "Of the values of %q, each %s", p.Name, text))
		}
	}
}

// checkRequired finds parameters that need one that is not there.
func (l *loader) checkRequired(f *Feature) {
	var names []string
	for _, p := range f.Parameters {
		names = append(names, p.Name)
	}
	for _, p := range f.Parameters {
		others := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == p.Name })
		if p.Requires != "" && !slices.Contains(others, p.Requires) {
			l.say(Fault(p.RequiresRange, "Unknown parameter", "%q is not another parameter of the feature.%s", p.Requires, DidYouMean(p.Requires, others)))
		}
	}
}

var (
	hostLabel = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
	userName  = regexp.MustCompile(`^[a-z][a-z0-9_-]*$`)
)

// longestName is how many characters Linux gives the names of hosts, and
// longestUser those that utmp and many programs give those of users.
const longestName, longestUser = 64, 31

func hostNameProblem(s string) string {
	if len(s) > longestName {
		return fmt.Sprintf("a host name of at most %d characters; this one has %d.", longestName, len(s))
	}
	for _, label := range strings.Split(s, ".") {
		if !hostLabel.MatchString(label) {
			return fmt.Sprintf("a host name, not %q: labels of letters, digits and - (not first or last), with dots between them.", s)
		}
	}
	return ""
}

// systemAccounts are users and groups that every Debian has; one of a package
// more is found when the accounts are made. What begins with _ or systemd- is
// a package's by policy.
var systemAccounts = strings.Fields(`root daemon bin sys sync games man lp mail news uucp proxy www-data backup list irc nobody
	adm tty disk kmem dialout fax voice cdrom floppy tape sudo audio dip operator src shadow utmp video sasl plugdev staff users nogroup
	messagebus sshd input sgx clock kvm render netdev crontab polkitd uuidd tcpdump dnsmasq postfix`)

func userNameProblem(s string) string {
	switch {
	case strings.HasPrefix(s, "_"), strings.HasPrefix(s, "systemd-"), slices.Contains(systemAccounts, s):
		return fmt.Sprintf("a name for a person; %q is the name of a system account or group, or reserved for one.", s)
	case !userName.MatchString(s):
		return fmt.Sprintf("a user's name, not %q: small letters, digits, _ and - can, beginning with a letter.", s)
	case len(s) > longestUser:
		return fmt.Sprintf("a user's name of at most %d characters; this one has %d.", longestUser, len(s))
	}
	return ""
}
