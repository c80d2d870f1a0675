package scaffold

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/treewright/treewright"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/treetest"
)

// uses opens what the example uses.
func uses(*config.Root, config.Use) (*config.Root, error) {
	return &config.Root{ID: config.Builtin, FS: treewright.Tree()}, nil
}

// TestTree: what is written has neither fault nor warning, in a new directory, in one
// that is empty, and in one that git knows.
func TestTree(t *testing.T) {
	empty, cloned := t.TempDir(), treetest.Lay(t, t.TempDir(), ".git/HEAD")
	for _, dir := range []string{filepath.Join(t.TempDir(), "new"), empty, cloned} {
		wrote, err := Tree(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		// What is set by removing the comment signs leads to where the docs say that it is.
		text := treetest.Content(t, filepath.Join(dir, "flavours/example.hcl"))
		for name, ending := range map[string]string{"remote_url ": "/debian-repo-amd64\"", "archive_url": "/example\""} {
			if !regexp.MustCompile(`# +` + name + ` = ".*` + ending + `\n`).MatchString(text) {
				t.Errorf("the example sets %s to something that does not end with %s:\n%s", name, ending, text)
			}
		}
		p, diags := config.Load(os.DirFS(dir), config.Options{Uses: config.Uses{Open: uses}})
		if len(diags) > 0 {
			t.Error(diags)
		}
		if len(p.Flavours) != 1 || p.Features["hello"] == nil || p.Features["base"].Root == nil {
			t.Errorf("the tree has %v and %v", p.Flavours, p.Features)
		}
		for _, script := range []string{"ci/build", "features/hello/exec.config", "features/hello/test/hello"} {
			if info, err := os.Stat(filepath.Join(dir, script)); err != nil || info.Mode()&0o111 == 0 || !slices.Contains(wrote, script) {
				t.Errorf("%s: %v, %v", script, info, err)
			}
		}
	}
}

// TestTreeRefuses: a directory with something in it stays as it is, and so does one in
// which not all can be written.
func TestTreeRefuses(t *testing.T) {
	full := treetest.Lay(t, t.TempDir(), "flavours/mine.hcl")
	if wrote, err := Tree(full, ""); err == nil || len(wrote) > 0 || !strings.Contains(err.Error(), "is not empty: it has flavours") {
		t.Errorf("wrote %v, error %v", wrote, err)
	}
	file := filepath.Join(full, "flavours/mine.hcl")
	if _, err := Tree(file, ""); err == nil || !strings.Contains(err.Error(), "is not a directory") {
		t.Errorf("a file: %v", err)
	}
	for dir, want := range map[string]string{filepath.Join(full, "not/there"): "there is no directory " + full + "/not to make there in", "": "is empty"} {
		if _, err := Tree(dir, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", dir, err)
		}
	}
	if left := entries(t, full); !slices.Equal(left, []string{"flavours", "flavours/mine.hcl"}) {
		t.Errorf("there is now %v", left)
	}
}

// TestTreeTakesBack: what was written until a file could not be is gone.
func TestTreeTakesBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	wrote, err := Tree(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	kept := filepath.Join(dir, "features/more")
	treetest.Write(t, kept, "from somebody else")
	if err := takeBack(dir, wrote, false); err != nil {
		t.Fatal(err)
	}
	if left := entries(t, dir); !slices.Equal(left, []string{"features", "features/more"}) {
		t.Errorf("left: %v", left)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if wrote, err = Tree(dir, ""); err != nil {
		t.Fatal(err)
	}
	if err := takeBack(dir, wrote, true); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Errorf("left: %v", entries(t, dir))
	}
}

func entries(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, _ fs.DirEntry, err error) error {
		if name != "." {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestRecipes: the files for CI are YAML that runs ci/build, name the commit that they
// build with, and the script can be read by a shell.
func TestRecipes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	const commit = "0123456789abcdef0123456789abcdef01234567"
	if _, err := Tree(dir, commit); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".github/workflows/build.yml", ".gitlab-ci.yml"} {
		text := treetest.Content(t, filepath.Join(dir, name))
		var recipe struct {
			On        []string
			Env       map[string]string
			Variables map[string]string
			Jobs      map[string]struct {
				Steps []struct {
					Run, Uses string
					With      struct {
						Path   string
						Hidden bool `yaml:"include-hidden-files"`
					}
				}
			}
			Build struct {
				Script    []string
				Artifacts struct{ Paths []string }
			}
		}
		if err := yaml.Unmarshal([]byte(text), &recipe); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		commands := recipe.Build.Script
		for _, step := range recipe.Jobs["build"].Steps {
			commands = append(commands, step.Run)
			if strings.HasPrefix(step.Uses, "actions/upload-artifact@") && step.With.Path != "results/*.xml" {
				recipe.Build.Artifacts.Paths = strings.Fields(step.With.Path)
				if !step.With.Hidden {
					t.Errorf("%s: upload-artifact ignores .build, whose name begins with a dot", name)
				}
			}
		}
		paths := recipe.Build.Artifacts.Paths
		if len(paths) == 0 || slices.ContainsFunc(paths, func(p string) bool { return !strings.HasPrefix(p, ".build/example/") }) {
			t.Errorf("%s keeps %q: logs and manifests in .build/.private are not for everyone", name, paths)
		}
		// What ci/build writes also when a test fails.
		if !strings.Contains(text, "results/*.xml") || !strings.Contains(text, "always") {
			t.Errorf("%s does not keep the results of tests", name)
		}
		for _, want := range []string{"ci/build", "make -C", "git clone"} {
			if !strings.Contains(strings.Join(commands, "\n"), want) {
				t.Errorf("%s does not run %s: %v", name, want, commands)
			}
		}
		if recipe.Env["TREEWRIGHT_COMMIT"]+recipe.Variables["TREEWRIGHT_COMMIT"] != commit {
			t.Errorf("%s builds with another Treewright: %s", name, text)
		}
	}
	for _, script := range []string{"ci/build", "features/hello/exec.config", "features/hello/test/hello"} {
		if out, err := exec.Command("bash", "-n", filepath.Join(dir, script)).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", script, err, out)
		}
	}
}

// TestShippedFlavours: each of them can be begun with, with those that it extends.
func TestShippedFlavours(t *testing.T) {
	shipped, diags := config.Load(treewright.Tree(), config.Options{})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	read := func(dir string) *config.Project {
		p, diags := config.Load(os.DirFS(dir), config.Options{Uses: config.Uses{Open: uses}})
		if len(diags) > 0 {
			t.Error(diags)
		}
		return p
	}
	for name, want := range map[string][]string{
		"debian-testing-amd64-ostree": {"debian-testing-amd64-ostree.hcl"},
		"debian-trixie-amd64-ostree":  {"debian-trixie-amd64-ostree.hcl", "debian-testing-amd64-ostree.hcl"},
		"debian-testing-amd64-dev":    {"debian-testing-amd64-dev.hcl", "debian-testing-amd64-ostree.hcl"},
		"debian-testing-arm64-ostree": {"debian-testing-arm64-ostree.hcl", "debian-matrix.yaml"},
	} {
		dir := filepath.Join(t.TempDir(), "new")
		if _, err := Tree(dir, ""); err != nil {
			t.Fatal(err)
		}
		wrote, err := Flavour(dir, name, read(dir))
		for i := range wrote {
			wrote[i] = strings.TrimPrefix(wrote[i], "flavours/")
		}
		if err != nil || !slices.Equal(wrote, want) {
			t.Errorf("%s: wrote %v, error %v", name, wrote, err)
		}
		if !hasFlavour(read(dir), name) || !hasFlavour(shipped, name) {
			t.Errorf("there is no flavour %s", name)
		}
	}
}
