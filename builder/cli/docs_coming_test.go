package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/treetest"
)

const comingFrom = "docs/coming-from.md"

// comingExample is a row of three, whose last cell is an example. The place in the
// second one may have a remark after a semicolon.
var comingExample = regexp.MustCompile("(?m)^\\| (.*?) \\| ([^|]*) \\| `([^|]*)` \\|$")

// comingSet is the place "set `FEATURE`".
var comingSet = regexp.MustCompile("^set `(\\w+)`$")

// TestComingFromExamples reads each example of the tables for people who come from
// another builder at its place, in a tree with the shipped features.
func TestComingFromExamples(t *testing.T) {
	rows := comingExample.FindAllStringSubmatch(readDoc(t, comingFrom), -1)
	if len(rows) < 80 {
		t.Fatalf("%d examples were found", len(rows))
	}
	for _, row := range rows {
		place, _, _ := strings.Cut(row[2], ";")
		example := row[3]
		if place == "command" {
			checkCommandLine(t, comingFrom, strings.Fields(example), &config.Project{Flavours: []*config.Flavour{{Name: "kiosk"}}})
			continue
		}
		dir := comingTree(t)
		for name, text := range comingFiles(t, place, example) {
			treetest.Write(t, filepath.Join(dir, name), text)
		}
		if code, out, errs := runMain(t, "", "-C", dir, "check"); code != exitOK {
			t.Errorf("%s: %s: exit code %d\n%s%s", place, example, code, out, errs)
		}
	}
}

// TestComingFromWholeFile checks the flavour at the end of the page.
func TestComingFromWholeFile(t *testing.T) {
	_, text, found := strings.Cut(readDoc(t, comingFrom), "```hcl\n")
	text, _, closed := strings.Cut(text, "```\n")
	if !found || !closed {
		t.Fatal("there is no flavour")
	}
	dir := comingTree(t)
	treetest.Write(t, filepath.Join(dir, "flavours/web.hcl"), text)
	if code, out, errs := runMain(t, "", "-C", dir, "check"); code != exitOK {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
}

// comingTree is a tree with the shipped features and flavours, and with the files
// that examples name.
func comingTree(t *testing.T) string {
	dir := t.TempDir()
	for _, name := range []string{"features", "flavours"} {
		if err := os.CopyFS(filepath.Join(dir, name), os.DirFS(filepath.Join(docsRoot, name))); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"extra/etc/x", "overlay/etc/x", "includes/etc/x", "web/etc/x"} {
		treetest.Write(t, filepath.Join(dir, name), "x\n")
	}
	key, err := os.ReadFile(filepath.Join(docsRoot, "examples/vendor/keys/vendor.asc"))
	if err != nil {
		t.Fatal(err)
	}
	treetest.Write(t, filepath.Join(dir, "keys/nginx.asc"), string(key))
	return dir
}

// comingFiles are the files of a tree that has an example at its place.
func comingFiles(t *testing.T, place, example string) map[string]string {
	flavour := func(distribution, features, rest string) map[string]string {
		return map[string]string{"flavours/example.hcl": "flavour \"example\" {\n" + distribution + "\n" + features + "\n" + rest + "\n}\n"}
	}
	const suite, features = "distribution {\nsuite = \"testing\"\n}", `features = ["base", "ostreeRepo", "ostreeImage"]`
	unless := func(there, text string) string {
		if strings.HasPrefix(example, there) {
			return ""
		}
		return text
	}
	feature := func(name, text string) map[string]string {
		files := flavour(suite, `features = ["base", "ostreeRepo", "ostreeImage", "example"]`, "")
		files["features/example/info.yaml"] = "type: element\n"
		files["features/example/"+name] = text + "\n"
		return files
	}
	switch m := comingSet.FindStringSubmatch(place); {
	case m != nil:
		return flavour(suite, features, "set \""+m[1]+"\" {\n"+example+"\n}")
	case place == "flavour" && strings.Contains(example, "add_features"):
		return flavour("", `extends = "debian-testing-amd64-ostree"`, example)
	case place == "flavour":
		return flavour(unless("extends", suite), unless("extends", unless("features", features)), example)
	case place == "distribution":
		return flavour("distribution {\n"+unless("suite", "suite = \"trixie\"\n")+example+"\n}", `features = ["base", "ostreeRepo"]`, "")
	case strings.HasPrefix(place, "`info.yaml`"):
		return feature("info.yaml", unless("type", "type: element\n")+example)
	case strings.HasPrefix(place, "`") && strings.HasSuffix(place, "`"):
		return feature(strings.Trim(place, "`"), example)
	}
	t.Fatalf("%s: there is no place %q", comingFrom, place)
	return nil
}
