package compose

import (
	"testing"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/config/configtest"
)

// greeting is a project whose feature has templates.
func greeting(t *testing.T, text string) *config.Project {
	p := configtest.Project(t, "base platform\nhello element +base\ndebug extension +base")
	f := p.Features["hello"]
	f.Parameters = []config.Parameter{
		{Name: "title", Type: config.String, Default: "${flavour} on ${arch}", Range: configtest.Line("hello", 3)},
		{Name: "mirror", Type: config.Int, Default: int64(7), Range: configtest.Line("hello", 4)},
	}
	f.Templates = []config.Template{
		{Path: "/etc/hello", Name: "features/hello/file.template/etc/hello", Source: []byte(text)},
		{Path: "/etc/link", Name: "features/hello/file.template/etc/link", Target: "hello"},
		{Path: "/etc/dir", Name: "features/hello/file.template/etc/dir", Dir: "shared/etc/dir"},
	}
	return p
}

func TestTemplates(t *testing.T) {
	f := flavour("hello", "debug")
	f.Description, f.Distribution.Components = "a try", []string{"main", "contrib"}
	s, diags := Resolve(greeting(t, "${title} ${mirror} ${suite} ${family} ${description} ${join(\"+\", components)} ${join(\"+\", features)}"), f)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	got := s.Generated["hello"]
	if len(got) != 3 || got[1].Target != "hello" || got[2].Source != "shared/etc/dir" {
		t.Fatalf("generated are %+v", got)
	}
	// The parameter comes before the fact of its name, and an extension is none of the
	// system's features.
	if want := "try on arm64 7 trixie debian a try main+contrib base+hello"; string(got[0].Content) != want || got[0].Path != "/etc/hello" {
		t.Errorf("%s holds %q, not %q", got[0].Path, got[0].Content, want)
	}
	if at := place(got[0].Range); at != "features/hello/file.template/etc/hello:1" {
		t.Errorf("it is written at %s", at)
	}
	for _, name := range config.Facts {
		if _, ok := s.names(&config.Feature{})[name]; !ok {
			t.Errorf("the fact %s is not known when templates are rendered", name)
		}
	}
}

func TestTemplateFaults(t *testing.T) {
	_, diags := Resolve(greeting(t, "a\n${title + 1}"), flavour("hello"))
	wantFaults(t, diags, `features/hello/file.template/etc/hello:2: Invalid operand`)
	// It is put together from parameters, so nobody could see it before.
	key := "-----BEGIN ${\"PRIVATE\"} KEY-----\nMIIBVQIBADANBgkqhkiG9w0BAQEFAASCAT8wggE7AgEAAkEA\n"
	_, diags = Resolve(greeting(t, key), flavour("hello"))
	wantFaults(t, diags, `features/hello/file.template/etc/hello:1: Secret in the system: /etc/hello is a private key`)
	p := greeting(t, key)
	p.Features["hello"].Secrets = configtest.Lines("info", "/etc/hello")
	if _, diags = Resolve(p, flavour("hello")); diags.HasErrors() {
		t.Error(diags)
	}
	// Each is told once, however many flavours have it; and a flavour at fault in
	// another way is not blamed for what its template lacks then.
	p = greeting(t, "a\n${title + 1}")
	p.Flavours = []*config.Flavour{flavour("hello"), flavour("hello", "base")}
	wantFaults(t, Check(p, nil), `hello:2: Invalid operand`)
	p.Features["hello"].Parameters[0].Required = true
	wantFaults(t, Check(p, nil), `flavour:1: Missing setting`)
}
