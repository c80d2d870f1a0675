package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/hashicorp/hcl/v2"
)

// content evaluates and checks what a flavour block brings itself.
func (l *loader) content(b *flavourBlock, s *scope) contentDraft {
	c := contentDraft{
		removed:  map[string][]removal{},
		packages: l.once("Package", l.textsOf(s, b.Packages)), addPackages: l.once("Package", l.textsOf(s, b.AddPackages)),
		kernelArgs: l.kernelArgs(l.textsOf(s, b.KernelArgs)),
		timezone:   l.checked(s, b.Timezone, "time zone", timezoneProblem), locale: l.checked(s, b.Locale, "locale", localeProblem),
		keymap: l.checked(s, b.Keymap, "keymap", keymapProblem),
	}
	c.excludePackages = l.once("Package", l.textsOf(s, b.ExcludePackages))
	c.excludeFiles = l.excludedFiles(l.once("Pattern", l.textsOf(s, b.ExcludeFiles)))
	if b.Files != nil {
		c.files = l.files(s, b.Files)
	}
	l.checkExcluded(&c)
	if b.Units != nil {
		c.units = l.units(s, b.Units)
	}
	if b.Users != nil {
		c.users = l.users(s, b.Users)
	}
	if b.Groups != nil {
		c.groups = l.groups(s, b.Groups)
	}
	if b.Sysctl != nil {
		c.sysctl = l.sysctl(s, b.Sysctl)
	}
	for field, attr := range map[string]*hcl.Attribute{"files": b.Files, "users": b.Users, "groups": b.Groups, "sysctl": b.Sysctl} {
		if attr != nil {
			c.removed[field] = l.nulls(s, attr)
		}
	}
	for i, r := range c.removed["sysctl"] {
		c.removed["sysctl"][i].name = dotted(r.name)
	}
	return c
}

// finished makes the content of a flavour of a draft with all that it takes over, and
// checks what only the whole can tell.
func (l *loader) finished(d contentDraft) Content {
	c := Content{Files: d.files, Units: d.units, Users: d.users, Groups: d.groups, Sysctl: d.sysctl}
	for _, t := range d.packages {
		c.Packages = append(c.Packages, l.line(t))
	}
	for _, t := range d.excludePackages {
		c.ExcludePackages = append(c.ExcludePackages, l.line(t))
	}
	for _, t := range d.excludeFiles {
		c.ExcludeFiles = append(c.ExcludeFiles, Line{Text: t.value, Range: t.at})
	}
	for _, t := range d.kernelArgs {
		c.KernelArgs = append(c.KernelArgs, Line{Text: t.value, Range: t.at})
	}
	for into, t := range map[*Line]*text{&c.Timezone: d.timezone, &c.Locale: d.locale, &c.Keymap: d.keymap} {
		if t != nil {
			*into = Line{Text: t.value, Range: t.at}
		}
	}
	l.checkBelow(c.Files)
	l.checkAccounts(&c)
	return c
}

// once leaves out what is in a list already.
func (l *loader) once(what string, list []text) []text {
	if list == nil {
		return nil
	}
	kept := []text{}
	for _, t := range list {
		if i := indexOf(kept, t.value); i >= 0 {
			l.say(Fault(t.at, what+" named twice", "%q is named already at %s.", t.value, PlaceOf(kept[i].at)))
			continue
		}
		kept = append(kept, t)
	}
	return kept
}

// checked reads a string and says what is wrong with it; nil if anything is.
func (l *loader) checked(s *scope, attr stringAttr, what string, problem func(string) string) *text {
	t := l.textOf(s, attr)
	if t == nil {
		return nil
	}
	if p := problem(t.value); p != "" {
		l.say(Fault(t.at, "Invalid "+what, "%q %s", t.value, p))
		return nil
	}
	return t
}

// ownArgs are kernel arguments that the image stage and OSTree set.
var ownArgs = map[string]string{
	"root": "the image stage writes it", "ostree": "OSTree writes it for each deployment", "rw": "the image stage writes it",
	"BOOT_IMAGE": "the boot loader writes it",
}

// quoted is what the kernel takes as one word in spite of blanks.
var quoted = regexp.MustCompile(`"[^"]*"`)

func (l *loader) kernelArgs(list []text) []text {
	if list == nil {
		return nil
	}
	kept := []text{}
	for _, t := range list {
		name, _, _ := strings.Cut(t.value, "=")
		switch problem := lineProblem(t.value); {
		case problem != "":
			l.say(Fault(t.at, "Invalid kernel argument", "A kernel argument has to be %s", problem))
		case strings.Count(t.value, `"`)%2 != 0:
			l.say(Fault(t.at, "Invalid kernel argument", "%q has a quote that is not closed. The kernel reads all that follows as a part of it.", t.value))
		case strings.ContainsAny(quoted.ReplaceAllString(t.value, ""), " \t"):
			l.say(Fault(t.at, "Invalid kernel argument", "%q has a blank in it. Write each argument as an element of its own; a value with blanks needs quotes in it, as in name=\"a b\".", t.value))
		case ownArgs[name] != "":
			l.say(Fault(t.at, "Invalid kernel argument", "%q cannot be set here, because %s.", name, ownArgs[name]))
		default:
			kept = append(kept, t)
		}
	}
	return kept
}

// unitKinds are the types of units that systemd has.
var unitKinds = strings.Fields("service socket device mount automount swap target path timer slice scope")

var unitPattern = regexp.MustCompile(`^[A-Za-z0-9:_.\\@-]+$`)

// longestUnit is how many characters the name of a unit may have.
const longestUnit = 255

// unitName completes the name of a unit, or says what is wrong with it.
func unitName(name string) (whole, problem string) {
	i := strings.LastIndexByte(name, '.')
	switch {
	case !unitPattern.MatchString(name) || len(name) > longestUnit || strings.HasPrefix(name, "-"):
		return "", "cannot be the name of a unit, as in ssh.service."
	case i < 0:
		return name + ".service", ""
	case i > 0 && slices.Contains(unitKinds, name[i+1:]):
		return name, ""
	}
	hint := ""
	if kind := Suggest(name[i+1:], unitKinds); kind != "" {
		hint = fmt.Sprintf(" Did you mean %q?", name[:i+1]+kind)
	}
	return "", fmt.Sprintf("does not end in a type of unit, such as .service or .timer.%s", hint)
}

func (l *loader) units(s *scope, attr *hcl.Attribute) []Unit {
	fields, ok := object[unitsFields](l, s, attr)
	if !ok {
		return nil
	}
	units := []Unit{}
	first := map[string]Unit{}
	for _, list := range []struct {
		verb string
		attr listAttr
	}{{"enable", fields.Enable}, {"disable", fields.Disable}, {"mask", fields.Mask}} {
		for _, t := range l.textsOf(s, list.attr) {
			name, problem := unitName(t.value)
			if problem != "" {
				l.say(Fault(t.at, "Invalid unit", "%q %s", t.value, problem))
				continue
			}
			if before, again := first[name]; again {
				l.say(Fault(t.at, "Unit named twice", "%q is already in %s at %s.", name, before.Verb, PlaceOf(before.Range)))
				continue
			}
			first[name] = Unit{Name: name, Verb: list.verb, Range: t.at}
			units = append(units, first[name])
		}
	}
	return units
}

var sysctlPattern = regexp.MustCompile(`^[A-Za-z0-9_-]+([./][A-Za-z0-9_:@*-]+)+$`)

func (l *loader) sysctl(s *scope, attr *hcl.Attribute) []Sysctl {
	entries, _ := l.fields(s, attr)
	all := []Sysctl{}
	first := map[string]hcl.Range{}
	for _, e := range entries {
		if !sysctlPattern.MatchString(e.Name) {
			l.say(Fault(e.NameRange, "Invalid kernel parameter", "%q cannot be the name of a kernel parameter, as in net.ipv4.ip_forward.", e.Name))
			continue
		}
		name := dotted(e.Name)
		value, ok := l.sysctlValue(s, e)
		if before, again := first[name]; again {
			l.say(duplicateField(e.Name, before, e.NameRange))
		} else if first[name] = e.NameRange; ok {
			all = append(all, Sysctl{Name: name, Value: value, Range: e.NameRange})
		}
	}
	return all
}

// dotted is the name of a kernel parameter with dots between its parts. If the first
// separator is a slash, dots are within the parts.
func dotted(name string) string {
	if i := strings.IndexAny(name, "./"); i >= 0 && name[i] == '/' {
		return strings.NewReplacer("/", ".", ".", "/").Replace(name)
	}
	return name
}

// sysctlValue reads a string of one line, or a whole number.
func (l *loader) sysctlValue(s *scope, e *hcl.Attribute) (string, bool) {
	v := l.valueOf(s, e)
	at := e.Expr.Range()
	switch {
	case !v.IsWhollyKnown() || v.IsNull():
		return "", false
	case v.Type() == cty.Number:
		n, problem := typed(v, Int)
		if problem != "" {
			l.say(Fault(at, "Wrong type", "%q has to be %s", e.Name, problem))
		}
		return fmt.Sprint(n), problem == ""
	case v.Type() == cty.Bool:
		l.say(Fault(at, "Wrong type", "%q takes a string or a number, not true or false. Most kernel parameters that are on or off take 1 or 0.", e.Name))
		return "", false
	case v.Type() != cty.String:
		l.say(wrongType(at, e.Name, "a string or a number", v))
		return "", false
	}
	if problem := lineProblem(v.AsString()); problem != "" {
		l.say(Fault(at, "Invalid value", "%q has to be %s", e.Name, problem))
		return "", false
	}
	return v.AsString(), true
}

var (
	zonePattern   = regexp.MustCompile(`^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$`)
	localePattern = regexp.MustCompile(`^(C|[a-z]{2,3}_[A-Z]{2})\.UTF-8(@[a-z]+)?$`)
	localeParts   = regexp.MustCompile(`^([A-Za-z]{2,3})(?:[_-]([A-Za-z]{2}))?(?:\.[A-Za-z0-9-]+)?(@[a-z]+)?$`)
	keymapPattern = regexp.MustCompile(tagOf[flavourBlock]("Keymap", "pattern"))
)

func timezoneProblem(zone string) string {
	switch {
	case zone == "localtime":
		return "is not a time zone: it is whatever zone a machine has."
	case zonePattern.MatchString(zone):
		return ""
	}
	hint := ""
	if meant := strings.ReplaceAll(strings.Trim(zone, "/ "), " ", "_"); zonePattern.MatchString(meant) {
		hint = fmt.Sprintf(" Did you mean %q?", meant)
	}
	return "is not a time zone, as in Europe/Berlin or UTC." + hint
}

// usualLocales are what people probably mean who name a language alone.
var usualLocales = strings.Fields("ar_EG bg_BG ca_ES cs_CZ da_DK de_DE el_GR en_US es_ES et_EE fa_IR fi_FI fr_FR he_IL hi_IN hr_HR hu_HU id_ID is_IS it_IT " +
	"ja_JP ko_KR lt_LT lv_LV nb_NO nl_NL nn_NO pl_PL pt_PT ro_RO ru_RU sk_SK sl_SI sr_RS sv_SE tr_TR uk_UA vi_VN zh_CN")

func localeProblem(locale string) string {
	if localePattern.MatchString(locale) || locale == "C" || locale == "POSIX" {
		return ""
	}
	hint := ""
	if m := localeParts.FindStringSubmatch(locale); m != nil {
		language, country := strings.ToLower(m[1]), strings.ToUpper(m[2])
		usual := slices.IndexFunc(usualLocales, func(l string) bool { return strings.HasPrefix(l, language+"_") })
		switch {
		case country != "":
			hint = fmt.Sprintf(" Did you mean %q?", language+"_"+country+".UTF-8"+m[3])
		case usual >= 0:
			hint = fmt.Sprintf(" Did you mean %q?", usualLocales[usual]+".UTF-8"+m[3])
		}
	}
	return "is not a locale in UTF-8, as in de_DE.UTF-8 or C.UTF-8." + hint
}

func keymapProblem(keymap string) string {
	if keymapPattern.MatchString(keymap) {
		return ""
	}
	return "is not the layout of a keyboard, as in de, us or de(nodeadkeys)."
}
