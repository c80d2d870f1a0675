package tree

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
)

// mentions are a feature's relations in the order that counts: by place.
func mentions(f *config.Feature) string {
	type mention struct {
		text string
		at   hcl.Pos
	}
	var all []mention
	for _, r := range f.Include {
		all = append(all, mention{"+" + r.Name, r.Range.Start})
	}
	for _, r := range f.Exclude {
		all = append(all, mention{"-" + r.Name, r.Range.Start})
	}
	slices.SortFunc(all, func(a, b mention) int {
		if a.at.Line != b.at.Line {
			return a.at.Line - b.at.Line
		}
		return a.at.Column - b.at.Column
	})
	var words []string
	for _, m := range all {
		words = append(words, m.text)
	}
	return strings.Join(words, " ")
}

// TestInfo compares with what PyYAML and Python make of a file; each
// case was tried with the Garden Linux builder's parse_features. Some that it
// reads are faults here: no tree uses them.
func TestInfo(t *testing.T) {
	tests := []struct {
		name, info string
		want       string // type, then relations; or "fault: " and what it says
	}{
		{"plain", "type: flag\nfeatures:\n  include: [a, b]\n  exclude:\n  - c\n", "flag +a +b -c"},
		{"exclude first", "type: flag\nfeatures: {exclude: [c], include: [a]}", "flag -c +a"},
		{"no type", "description: x", ""},
		{"type is true", "type: on", "!!bool on"},
		{"type is a list", "type: [flag]", "a list"},
		{"unknown keys", "type: flag\ndepends: {on: [1, ~]}\nfeatures: {foo: 1, include: [a]}", "flag +a"},
		{"key twice", "type: flag\ntype: element", "element"},
		{"last value at the first place", "features: {include: [a], exclude: [b], include: [c]}", " +c -b"},
		{"alias", "x: &l [a]\nfeatures: {include: *l, exclude: *l}", " +a -a"},
		{"merge", "x: &l {include: [a], exclude: [b]}\nfeatures:\n  exclude: [c]\n  <<: *l\n", " +a -c"},
		{"merges", "features: {<<: [{include: [a]}, {include: [b], exclude: [c]}]}", " +a -c"},
		{"merges itself", "x: &x {<<: *x}\ntype: flag", "flag"},
		{"contains itself", "x: &x [*x]\ntype: flag", "flag"},
		{"quoted", "features: {include: ['2', \"on\"]}", " +2 +on"},
		{"values of unknown keys", "type: flag\nx: [2026-01-31, 0x1f, 1_0, 1:30, .5, ~, no, 6.12-rc1, 1.2.3]", "flag"},
		{"quoted merge sign", "\"<<\": a\ntype: flag", "flag"},
		{"merge key with a name", "x: {&m <<: {a: b}}\nfeatures: {*m : {include: [a]}}", " +a"},
		{"byte order mark", "\uFEFFtype: flag", "flag"},
		{"YAML 1.1", "%YAML 1.1\n---\ntype: flag", "flag"},
		{"tab before a comment", "# a\tb\ntype: flag\t# no: before it\nx: \"\t\"", "fault: Tab"},
		{"tabs where they may be", "# a\tb\ntype: flag #\tc\n", "flag"},
		{"tab in quotes", "type: flag\nx: \"\t\"", "fault: comments only"},
		{"tab after a quoted hash", "x: \" #\"\t# c", "fault: comments only"},
		{"tab after a comment's line", "# a\u0085x:\tb", "fault: comments only"},
		{"tab in a block", "type: flag\nx: |\n  a\tb", "fault: comments only"},

		{"empty", "", "fault: this one is empty"},
		{"only a comment", "# x", "fault: this one is empty"},
		{"null", "~", "fault: this one is empty"},
		{"a list", "[type]", "fault: not a list"},
		{"two documents", "type: flag\n---\ntype: flag", "fault: second one"},
		{"syntax", "type: [", "fault: parser reports"},
		{"features is empty", "features:", "fault: not empty"},
		{"features is a number", "features: 1", "fault: not a number"},
		{"features is a list", "features: [include]", "fault: not a list"},
		{"include is empty", "features: {include: }", "fault: this is empty"},
		{"include of a number", "features: {include: [1]}", `fault: this is a number. If it is a name, put it in quotes: "1"`},
		{"include of true", "features: {include: [on]}", "fault: this is true or false"},
		{"include of a date", "features: {include: [2001-01-01]}", "fault: this is a date"},
		{"include of sixties", "features: {include: [1:30]}", "fault: this is a number"},
		{"include of a list", "features: {include: [[a]]}", "fault: this is a list"},
		{"letters", "features: {include: ab}", "fault: a list of features, and this is a string"},
		{"keys", "features: {include: {a: 1, b: 2}}", "fault: a list of features, and this is a mapping"},
		{"features is a word", "features: include", "fault: a mapping with"},
		{"features is a list of others", "features: [a]", "fault: a mapping with"},
		{"YAML 1.2", "%YAML 1.2\n---\ntype: flag", "fault: incompatible YAML"},
		{"directive", "%X y\n---\ntype: flag", "fault: unknown directive"},
		{"unknown tag", "x: !secret y", "fault: Tags such as !secret"},
		{"known tag", "features: {include: [!!str 1]}", "fault: Tags such as !!str"},
		{"tagged list", "features: {include: !!omap []}", "fault: Tags such as !!omap"},
		{"tagged mapping", "x: !!set {a}", "fault: Tags such as !!set"},
		{"tagged key", "!!str <<: {type: flag}", "fault: Tags such as !!str"},
		{"tag without a name", "features: {include: [! 1]}", "fault: this is a number"},
		{"a time", "x: 2001-02-03 04:05:06", "fault: only days that exist"},
		{"no digits", "x: 0x_", "fault: no digits"},
		{"no such day", "x: 2001-02-31", "fault: a date"},
		{"equals sign", "x: =", "fault: \"=\" means something else"},
		{"merge sign", "x: <<", "fault: \"<<\" means something else"},
		{"merge of a word", "<<: a", "fault: Only mappings"},
		{"key of many values", "? [a]\n: b", "fault: A key is a name"},
		{"anchor twice", "x: &a 1\ny: &a 2", "fault: is the name of"},
		{"not UTF-8", "x: \xff", "fault: UTF-8"},
		{"control character", "x: \a", "fault: cannot be part"},
		{"apostrophe", `x: "\'"`, "fault: apostrophe"},
		{"apostrophe after a mark", "\uFEFF" + `x: "\'"`, "fault: apostrophe"},
		{"colon in brackets", "features: {include: [a:]}", "fault: a space goes between a colon"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tree, diags := LoadFeatures(fstest.MapFS{"x/info.yaml": {Data: []byte(test.info)}}, "tree")
			if fault, ok := strings.CutPrefix(test.want, "fault: "); ok {
				if !diags.HasErrors() || !strings.Contains(diags.Error(), fault) {
					t.Fatalf("got %v, want a fault with %q", diags, fault)
				}
				if at := diags[0].Subject; at.Filename != "tree/x/info.yaml" {
					t.Errorf("the fault is in %s", at.Filename)
				}
				return
			}
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			f := tree.Features[0]
			got := string(f.Type)
			if m := mentions(f); m != "" {
				got += " " + m
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestDirectories describes which directories are features.
func TestDirectories(t *testing.T) {
	good := &fstest.MapFile{Data: []byte("type: flag")}
	tree, diags := LoadFeatures(fstest.MapFS{
		"_x/info.yaml":          good,
		".hidden/info.yaml":     {Data: []byte("broken: [")},
		"README.md":             good,
		"info.yaml":             good,
		"empty/README.md":       good,
		"deep/inside/info.yaml": good,
		"1 ü/info.yaml":         good,
	}, "features")
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var names []string
	for _, f := range tree.Features {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	if got := strings.Join(names, "|"); got != "1 ü|_x" {
		t.Errorf("features are %s", got)
	}
	_, diags = LoadFeatures(fstest.MapFS{"x/info.yaml/y": good}, "features")
	if !diags.HasErrors() || !strings.Contains(diags.Error(), "not a regular file") {
		t.Errorf("got %v", diags)
	}
}

// FuzzInfo reads arbitrary text as an info.yaml and as a flavors.yaml.
func FuzzInfo(f *testing.F) {
	names, err := filepath.Glob("../../config/testdata/good/features/*/info.yaml")
	if err != nil || len(names) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, name := range names {
		src, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Add([]byte("x: &x {<<: [*x, {include: [a]}]}\nfeatures: {<<: *x, exclude: *x, ? !!set {a} : !!omap [b: c]}"))
	f.Add([]byte("%YAML 1.1\n--- !!map\n\"\\'\t\": |2\n\t\n=: 0x_\n"))
	f.Add([]byte("targets: [{name: a, flavors: [{features: [b, on], build: yes}, 1]}]"))
	f.Fuzz(func(t *testing.T, src []byte) {
		tree, diags := LoadFeatures(fstest.MapFS{"x/info.yaml": {Data: src}}, "")
		for _, d := range diags {
			checkRange(t, *d.Subject, tree.Files[d.Subject.Filename])
		}
		_, files, diags := LoadPublished(src)
		for _, d := range diags {
			checkRange(t, *d.Subject, files[d.Subject.Filename])
		}
	})
}

func checkRange(t *testing.T, r hcl.Range, file *hcl.File) {
	t.Helper()
	if file != nil && (r.Start.Byte < 0 || r.Start.Byte > r.End.Byte || r.End.Byte > len(file.Bytes)) {
		t.Errorf("the range %v is outside its file of %d bytes", r, len(file.Bytes))
	}
}

// TestFeaturesKeepTheDirectorysOrder: the lines of a graph come in that order, in
// the Garden Linux builder as here.
func TestFeaturesKeepTheDirectorysOrder(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"kvm", "base", "_dev", "odd"} {
		if err := os.Mkdir(filepath.Join(root, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name, "info.yaml"), []byte("type: flag"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	dir, err := os.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	want, err := dir.Readdirnames(-1)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	features, diags := LoadFeatures(os.DirFS(root), "features")
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, f := range features.Features {
		got = append(got, f.Name)
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("got %v, want %v", got, want)
	}
}

// FuzzPublished: a flavour that is published is named by its architecture and has
// uses of the list, and a byte order mark changes nothing.
func FuzzPublished(f *testing.F) {
	f.Add([]byte("targets:\n- name: a\n  category: c\n  flavors:\n  - features: [b, _c]\n    arch: arm64\n    build: yes\n  - {}\n"))
	f.Add([]byte("x: &x {features: [on], test: True}\ntargets: [{name: a, flavors: [{<<: *x, features: ['on']}, 1]}]"))
	f.Add([]byte("targets:\n- flavors: {}\n- name: 1\n  flavors:\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		flavours, files, diags := LoadPublished(src)
		for _, d := range diags {
			checkRange(t, *d.Subject, files[d.Subject.Filename])
		}
		for _, fl := range flavours {
			checkRange(t, fl.Range, files[fl.Range.Filename])
			if !diags.HasErrors() && !strings.HasSuffix(fl.Name, strings.ReplaceAll("-"+fl.Arch, "-_", "_")) {
				t.Errorf("%q for %q", fl.Name, fl.Arch)
			}
			at := 0
			for _, use := range fl.Uses {
				i := slices.Index(PublishedUses[at:], use)
				if i < 0 {
					t.Fatalf("uses are %v", fl.Uses)
				}
				at += i + 1
			}
		}
		marked := append([]byte("\uFEFF"), bytes.TrimPrefix(src, byteOrderMark)...)
		if config.TooLong("", marked) == nil {
			again, _, others := LoadPublished(marked)
			if fmt.Sprint(again) != fmt.Sprint(flavours) || len(others) != len(diags) {
				t.Errorf("with a byte order mark %v is %v", flavours, again)
			}
		}
	})
}
