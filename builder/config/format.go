package config

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Problem says what is wrong with a value by the parameter's format, as the
// end of a sentence that begins with the parameter's name; "" if nothing is.
// The value is one of the parameter's type. An empty string stands for none; in
// a list it is a fault.
func (p *Parameter) Problem(value any) string {
	if p.stage.filled && value == "" {
		return "has to be filled in: it must not be empty."
	}
	if list, ok := value.([]string); ok && p.stage.choices {
		return p.choicesProblem(list)
	}
	check := formats[cmp.Or(p.Format, p.stage.format)]
	if check == nil {
		return ""
	}
	switch v := value.(type) {
	case string:
		if v == "" {
			return ""
		}
		if problem := check(v); problem != "" {
			return "has to be " + problem
		}
	case []string:
		var problems []string
		for i, s := range v {
			if problem := check(s); problem != "" {
				problems = append(problems, fmt.Sprintf("(element %d) has to be %s", i+1, problem))
			}
		}
		return strings.Join(problems, " And ")
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

// checkRequired finds parameters that need one that is not there.
func (l *loader) checkRequired(f *Feature) {
	var names []string
	for _, p := range f.Parameters {
		names = append(names, p.Name)
	}
	for _, p := range f.Parameters {
		if p.Requires != "" && (p.Requires == p.Name || !slices.Contains(names, p.Requires)) {
			l.say(Fault(p.RequiresRange, "Unknown parameter", "%q is not another parameter of the feature.%s", p.Requires, didYouMean(p.Requires, names)))
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
