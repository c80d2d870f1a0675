package config

import (
	"regexp"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// AuthSecret is the secret with names and passwords for servers. It is for Treewright
// itself, and no parameter's.
const AuthSecret = "auth"

// secretName is what a secret can be called: a variable of the environment ends in it.
var secretName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,63}$`)

// secretNameProblem says, as the end of a sentence, why a value cannot be the name of
// a secret. It does not repeat the value, which may be the secret itself.
func secretNameProblem(s string) string {
	switch {
	case s == AuthSecret:
		return `cannot be "auth": that secret is for package archives.`
	case !secretName.MatchString(s):
		return "has to be the name of a secret, and not the secret itself: at most 64 letters, digits and _, beginning with a letter. The secret is in a file, which is given with --secret NAME=FILE."
	}
	return ""
}

// readSecret notes whether a parameter's value is the name of a secret.
func (l *loader) readSecret(f *Feature, p *Parameter, b *parameterBlock) {
	secret, diags := plain.boolean(b.Secret)
	l.say(diags...)
	if p.Secret = secret; !secret {
		return
	}
	if p.Type != String {
		l.say(Fault(b.Secret.Expr.Range(), "Wrong type", "The value of a secret parameter is a name, so it is a string; %q is of type %s.", b.Name, p.Type))
	}
	if p.stage != (stageWish{}) {
		l.say(Fault(b.Secret.Expr.Range(), "Not a secret", "The stage %s reads %q itself and puts it into the system.", f.Stage, b.Name))
	}
	for _, attr := range []*hcl.Attribute{b.Values, b.Format, b.Pattern, b.Min, b.Max} {
		if attr != nil {
			l.say(Fault(attr.NameRange, "Bound without effect", "The value of a secret parameter is a name, and %q would not be asked of the secret itself.", attr.Name))
		}
	}
}

// secretNames finds where a template mentions a secret parameter.
func secretNames(expr hclsyntax.Expression, f *Feature) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, t := range expr.Variables() {
		for _, p := range f.Parameters {
			if p.Name == t.RootName() && p.Secret && len(diags) < maxUnknown {
				diags = append(diags, Fault(t.SourceRange(), "Secret in the system", "%q is a secret parameter, which no template can use: everyone who gets the commit could read what it comes to. Scripts of the feature can read the secret.", p.Name))
			}
		}
	}
	return diags
}

// checkLent finds secret parameters that no script of the feature gets.
func (l *loader) checkLent(f *Feature) {
	late := false
	for _, script := range scripts {
		late = late || script != "exec.early" && f.Scripts[script]
	}
	for _, p := range f.Parameters {
		switch {
		case !p.Secret || p.stage != (stageWish{}) || late || p.Early && f.Scripts["exec.early"]:
		case f.Scripts["exec.early"]:
			l.say(Warning(p.Range, "Secret without effect", "The only script of feature %q is exec.early, which gets parameters that are early: write early: true, or use the secret in a later script.", f.Name))
		default:
			l.say(Warning(p.Range, "Secret without effect", "Only scripts get secrets, and feature %q has no script, such as exec.config.", f.Name))
		}
	}
}
