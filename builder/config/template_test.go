package config

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

// TestTemplates reads all that file.template can have.
func TestTemplates(t *testing.T) {
	files := fstest.MapFS{
		"features/a/info.yaml":                         {Data: []byte("type: element\nparameters: {title: {default: x}}\nsecrets: [/etc/public.pem]")},
		"features/a/file.template":                     {Mode: fs.ModeSymlink, Data: []byte("../../shared")},
		"shared/etc/app.conf":                          {Data: []byte("\uFEFFtitle = ${title}\n")},
		"shared/usr/bin/app":                           {Data: []byte("#!/bin/sh\n"), Mode: 0o700},
		"shared/etc/alias":                             {Mode: fs.ModeSymlink, Data: []byte("app.conf")},
		"shared/etc/empty":                             {Mode: fs.ModeDir},
		"shared/etc/filled/x":                          {Data: []byte("x")},
		"shared/etc/public.pem":                        {Data: []byte("-----BEGIN PRIVATE KEY-----\nMIIBVQIBADANBgkqhkiG9w0BAQEFAASCAT8wggE7AgEAAkEA\n")},
		"features/gl/info.yaml":                        {Data: []byte("type: element")},
		"features/gl/file.include/usr/lib/tool/README": {Data: []byte("x")},
	}
	p := mustLoad(t, files, Options{})
	var got []string
	for _, x := range p.Features["a"].Templates {
		line := x.Path + " " + x.Name + " " + string(x.Source)
		if x.Executable {
			line += " executable"
		}
		got = append(got, line+" "+x.Target+x.Dir)
	}
	want := []string{
		"/etc/alias features/a/file.template/etc/alias  app.conf",
		"/etc/app.conf features/a/file.template/etc/app.conf title = ${title}\n ",
		"/etc/filled/x features/a/file.template/etc/filled/x x ",
		"/etc/public.pem features/a/file.template/etc/public.pem " + string(files["shared/etc/public.pem"].Data) + " ",
		"/usr/bin/app features/a/file.template/usr/bin/app #!/bin/sh\n executable ",
		"/etc/empty features/a/file.template/etc/empty  shared/etc/empty",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if f := p.Features["gl"]; f.Templates != nil {
		t.Errorf("templates without a file.template: %v", f.Templates)
	}
}

// TestTemplateFaults are those that no comment in a template can announce.
func TestTemplateFaults(t *testing.T) {
	files := fstest.MapFS{
		"features/a/info.yaml":                     {Data: []byte("type: element")},
		"features/a/file.template/etc/bytes":       {Data: []byte("a\nb\xff\n")},
		"features/a/file.template/etc/key.pem":     {Data: []byte("-----BEGIN PRIVATE KEY-----\nMIIBVQIBADANBgkqhkiG9w0BAQEFAASCAT8wggE7AgEAAkEA\n")},
		"features/a/file.template/etc/large":       {Data: make([]byte, maxValue+1)},
		"features/a/file.template/usr/lib/app/x":   {},
		"features/a/file.include/usr/lib/app":      {},
		"features/a/file.template/etc/both/x":      {},
		"features/a/file.include/etc/both/y":       {},
		"features/a/file.template/etc/deep":        {Data: []byte(strings.Repeat("${[", 200))},
		"features/b/info.yaml":                     {Data: []byte("type: element")},
		"features/b/file.template":                 {Data: []byte("x")},
		"features/c/info.yaml":                     {Data: []byte("type: element")},
		"features/c/file.tempalte/etc/x":           {},
		"features/d/info.yaml":                     {Data: []byte("type: element")},
		"features/d/file.template/etc/out":         {Mode: fs.ModeSymlink, Data: []byte("../../file.include/etc/x")},
		"features/d/file.include/etc/x":            {},
		"features/e/info.yaml":                     {Data: []byte("type: [")},
		"features/e/file.template/etc/app.conf":    {Data: []byte("${anything}")},
		"features/a/file.template/run/x":           {},
		"features/a/file.template/etc/.pwd.lock/x": {},
	}
	want := []string{
		`features/a/file.template/etc/bytes:2: Not UTF-8`,
		`features/a/file.template/etc/deep:1: Nested too deeply`,
		`features/a/file.template/etc/key.pem:1: Secret in the system`,
		`features/a/file.template/etc/large:1: File too large`,
		`features/a/file.template/run/x:1: File that cannot reach a machine`,
		`features/a/file.template/usr/lib/app:1: File twice: features/a/file.include/usr/lib/app has /usr/lib/app as well; a feature brings a file in one way only.`,
		`features/b/file.template:1: Not a directory: file.template is`,
		`features/c/file.tempalte:1: Unknown file: A file "file.tempalte" has no meaning in a feature. Did you mean "file.template"?`,
		`features/d/file.template/etc/out:1: Link copied as a link|make file.template itself a link`,
		`features/e/info.yaml:1: Invalid YAML`,
	}
	_, diags := Load(files, Options{})
	var got []string
	for _, d := range diags {
		got = append(got, PlaceOf(*d.Subject)+": "+d.Summary+": "+d.Detail)
	}
	if len(got) != len(want) {
		t.Fatalf("got\n%s", strings.Join(got, "\n"))
	}
	for i := range want {
		for part := range strings.SplitSeq(want[i], "|") {
			if !strings.Contains(got[i], part) {
				t.Errorf("fault %d is\n  %s\nand does not say\n  %s", i, got[i], part)
			}
		}
	}
}

// values are what the templates of the tests below can mention.
var values = map[string]any{
	"title": `It's "50%" $HOME` + "\n", "yes": true, "port": int64(8080), "keys": []string{"a b", "c"}, "none": []string{}, "empty": "",
	"peers": []Object{{"name": "office", "port": int64(1), "tags": []string{"x", "y"}}, {"name": "home", "port": int64(2), "tags": []string{}}},
}

func TestRender(t *testing.T) {
	for _, c := range []struct{ template, want string }{
		{"", ""},
		{"no newline", "no newline"},
		{"tab\tand \\n are text\r\n", "tab\tand \\n are text\r\n"},
		{"${port}", "8080"},
		{"${yes}", "true"},
		{"on = ${yes ? 1 : 0}\n", "on = 1\n"},
		{"$${HOME} %%{ if } $HOME 50%\n", "${HOME} %{ if } $HOME 50%\n"},
		{"%{ for k in keys }${k};%{ endfor }|%{ for k in none }${k}%{ endfor }|", "a b;c;||"},
		{"%{ for p in peers ~}\n[${p.name}]\n%{ for t in p.tags ~}\n${t}\n%{ endfor ~}\n%{ endfor ~}\nend\n", "[office]\nx\ny\n[home]\nend\n"},
		{"%{ if empty == \"\" }none%{ else }${empty}%{ endif }", "none"},
		{"${jsonencode(keys)} ${jsonencode(peers[0])}", `["a b","c"] {"name":"office","port":1,"tags":["x","y"]}`},
		{"x=${shellquote(title)} ${shellquote(keys)} ${shellquote(\"plain-1\")} ${shellquote(empty)}", `x='It'\''s "50%" $HOME` + "\n' 'a b' c plain-1 ''"},
		{"Environment=${unitquote(title)}", `Environment="It's \"50%%\" $HOME\n"`},
		{"${base64encode(chomp(title))}", "SXQncyAiNTAlIiAkSE9NRQ=="},
		{"a:\n  ${indent(2, \"b\\nc\")}\n", "a:\n  b\n  c\n"},
	} {
		x := Template{Name: "t", Source: []byte(c.template)}
		got, diags := x.Render(values)
		if string(got) != c.want || diags.HasErrors() {
			t.Errorf("%q gives %q, %v; want %q", c.template, got, diags, c.want)
		}
	}
}

func TestRenderFaults(t *testing.T) {
	for _, c := range []struct{ template, want string }{
		{"${keys}", "t:1: Not text: The template comes to a list"},
		{"a\n${keys}", `join(" ", LIST)`},
		{"\n\n%{ for p in peers }${p.nam}%{ endfor }", `t:3: Unsupported attribute: This object does not have an attribute named "nam". Did you mean "name"?`},
		{"${other}", "t:1: Unknown name"},
		{"${port + title}", "t:1: Invalid operand"},
		{"${shellquote(\"a\\u0000\")}", "t:1: Invalid function argument"},
		{"${unitquote(\"a\\u0000\")}", "zero byte"},
		{"${shellquote(port)}", "it takes a string or a list of strings, not a number."},
		{"${indent(100000, title)}", "too large"},
		{"${indent(-1, title)}", "too large"},
		{"%{ for a in peers }" + strings.Repeat("%{ for b in split(\"\", \""+strings.Repeat("x", 999)+"\") }", 3) + "x" + strings.Repeat("%{ endfor }", 4), "t:1: "},
	} {
		x := Template{Name: "t", Source: []byte(c.template)}
		got, diags := x.Render(values)
		text := ""
		for _, d := range diags {
			text += PlaceOf(*d.Subject) + ": " + d.Summary + ": " + d.Detail + "\n"
		}
		if got != nil || !strings.Contains(text, c.want) {
			t.Errorf("%.80q gives %q and\n%s", c.template, got, text)
		}
	}
}

// TestRenderedOnceMore: what a template comes to depends on nothing else, and one that
// pays much leaves nothing for the next to pay.
func TestRenderedOnceMore(t *testing.T) {
	x := Template{Name: "t", Source: []byte("%{ for a in peers }%{ for p in peers }${jsonencode(p)}\n%{ endfor }%{ endfor }")}
	first, diags := x.Render(values)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for range 3 {
		if again, diags := x.Render(values); string(again) != string(first) || diags.HasErrors() {
			t.Fatalf("%s %v", again, diags)
		}
	}
}
