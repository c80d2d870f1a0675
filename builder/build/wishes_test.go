package build_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro/debian/debtest"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/treetest"
)

// withDebs is a tree in which features bring packages, by "FEATURE/FILE"; what is
// in more comes on top.
func withDebs(t *testing.T, debs map[string]debtest.Package, more map[string]string) (tree string) {
	t.Helper()
	tree = small(t)
	treetest.WriteAll(t, tree, map[string]string{
		"features/one/info.yaml":         "type: element\n",
		"features/two/info.yaml":         "type: element\n",
		"features/sysext-more/info.yaml": "type: extension\n",
		"flavours/debs.hcl":              "flavour \"debs\" {\n  extends      = \"small\"\n  add_features = [\"one\", \"two\", \"sysext-more\"]\n}\n",
	})
	treetest.WriteAll(t, tree, more)
	for name, p := range debs {
		feature, file, _ := strings.Cut(name, "/")
		dir := filepath.Join(tree, "features", feature, "file.debs")
		if err := errors.Join(os.MkdirAll(dir, 0o755), os.Rename(p.Build(t, t.TempDir()), filepath.Join(dir, file))); err != nil {
			t.Fatal(err)
		}
	}
	return tree
}

// TestDebs: packages in features are in the plan, in the manifest, and in the version
// of the system, by their content.
func TestDebs(t *testing.T) {
	debs := map[string]debtest.Package{
		"one/some name.deb":  {Name: "mine", Version: "2", Arch: "amd64"},
		"two/x.deb":          {Name: "other"},
		"two/excluded.deb":   {Name: "not-wanted"},
		"sysext-more/it.deb": {Name: "more", Version: "3"},
	}
	built := func(debs map[string]debtest.Package) (*build.Prepared, *recorder) {
		t.Helper()
		tree := withDebs(t, debs, map[string]string{"features/one/pkg.exclude": "not-wanted\n", "features/two/pkg.include": "mine\n"})
		sink := &recorder{}
		b := open(t, tree)
		project, _, err := b.Load()
		if err != nil {
			t.Fatal(err)
		}
		s, err := b.Resolve(t.Context(), project, "debs")
		if err != nil {
			t.Fatal(err)
		}
		p, err := b.Prepare(t.Context(), s, sink)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Close)
		return p, sink
	}
	p, _ := built(debs)
	found := map[string]string{}
	for _, a := range p.Packages.System.Packages {
		found[a.Package.String()] = a.Source
	}
	for _, a := range p.Packages.Extensions["more"].Packages {
		if a.Name == "more" {
			found["extension "+a.Package.String()] = a.Source
		}
	}
	for _, want := range []string{"mine 2 amd64=feature one", "other 1 all=feature two", "extension more 3 all=feature sysext-more"} {
		if name, source, _ := strings.Cut(want, "="); found[name] != source {
			t.Errorf("no %s in %v", want, found)
		}
	}
	if _, there := found["not-wanted 1 all"]; there {
		t.Error("a package is there that is excluded")
	}
	uses, _, err := p.WhyPackage(t.Context(), "mine")
	if err != nil || len(uses) != 1 || uses[0].Package.Source != "feature one" || uses[0].File != "features/one/file.debs/some name.deb" {
		t.Errorf("why names no file of mine: %+v, error %v", uses, err)
	}
	// Names and places of files do not count, what is in them does.
	moved := map[string]debtest.Package{"one/a.deb": debs["one/some name.deb"], "two/b.deb": debs["two/x.deb"], "sysext-more/c.deb": debs["sysext-more/it.deb"]}
	other, _ := built(moved)
	changed := moved["one/a.deb"]
	changed.Files = map[string]string{"/usr/share/mine": "other"}
	moved["one/a.deb"] = changed
	third, _ := built(moved)
	for _, id := range []string{"packages/system", "rootfs/install-system"} {
		if p.Graph.Key(id) != other.Graph.Key(id) {
			t.Errorf("the key of %s depends on names of files", id)
		}
		if p.Graph.Key(id) == third.Graph.Key(id) {
			t.Errorf("the key of %s does not depend on what is in a package", id)
		}
	}
}

func TestDebFaults(t *testing.T) {
	for name, test := range map[string]struct {
		debs map[string]debtest.Package
		more map[string]string
		want string
	}{
		"architecture": {debs: map[string]debtest.Package{"one/a.deb": {Name: "mine", Arch: "arm64"}}, want: `features/one/file.debs/a.deb: Package for another architecture: mine 1 is for arm64, and flavour "debs" is for amd64.`},
		"two versions": {debs: map[string]debtest.Package{"one/a.deb": {Name: "mine"}, "sysext-more/b.deb": {Name: "mine", Version: "2"}},
			want: `features/sysext-more/file.debs/b.deb: Two versions of one package: The package mine is here in version 2 and in features/one/file.debs/a.deb in version 1.`},
		"two files": {debs: map[string]debtest.Package{"one/a.deb": {Name: "mine"}, "two/b.deb": {Name: "mine", Files: map[string]string{"/x": "y"}}},
			want: `features/two/file.debs/b.deb: Two files for one package: The package mine 1 is in features/one/file.debs/a.deb too, and it is another file: give one of them another version.`},
		"another version wanted": {debs: map[string]debtest.Package{"one/a.deb": {Name: "mine"}}, more: map[string]string{"features/two/pkg.include": "mine=2\n"},
			want: `features/two/pkg.include: Two versions of one package: Package mine=2 is requested here, and features/one/file.debs/a.deb is version 1.`},
		"of the system": {debs: map[string]debtest.Package{"sysext-more/a.deb": {Name: "dpkg", Version: "2"}},
			want: `features/sysext-more/file.debs/a.deb: Package of the system: The system has dpkg in version 1, and an extension can only add packages to it.`},
		"unreadable": {more: map[string]string{"features/one/file.debs/a.deb": "!<arch>\n" + member("debian-binary", "2.0\n") + member("control.tar.xz", "oddities") + member("data.tar.xz", "oddities")},
			want: "features/one/file.debs/a.deb: Not a package: The package cannot be read: "},
	} {
		t.Run(name, func(t *testing.T) {
			tree := withDebs(t, test.debs, test.more)
			_, err := open(t, tree).Build(t.Context(), build.Request{Name: "debs", Sink: &recorder{}})
			var faults *diag.Faults
			if !errors.As(err, &faults) {
				t.Fatalf("error %v", err)
			}
			var got []string
			for _, d := range faults.List {
				got = append(got, d.Subject.Filename+": "+d.Summary+": "+d.Detail)
			}
			if len(got) != 1 || !strings.HasPrefix(got[0], test.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), test.want)
			}
		})
	}
}

// TestForbiddenThatThereIsNot: a mistyped name would forbid nothing, without a word.
func TestForbiddenThatThereIsNot(t *testing.T) {
	tree := withDebs(t, nil, map[string]string{"features/one/pkg.exclude": "!base-flies\n"})
	sink := &recorder{}
	if _, err := open(t, tree).Build(t.Context(), build.Request{Name: "debs", Sink: sink}); err != nil {
		t.Fatal(err)
	}
	warnings := sink.of(event.Warning)
	if len(warnings) != 1 || !strings.HasPrefix(warnings[0].Line, "features/one/pkg.exclude:1: ") || !strings.HasSuffix(warnings[0].Line, `no package "base-flies". Did you mean "base-files"? So nothing is forbidden here.`) {
		t.Errorf("warnings %v", warnings)
	}
}

// member is a member of an ar archive.
func member(name, content string) string {
	return fmt.Sprintf("%-16s%-12d%-6d%-6d%-8s%-10d`\n%s", name, 0, 0, 0, "100644", len(content), content)
}
