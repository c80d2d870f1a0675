package stage

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/stage/image"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treetest"
)

// withFormats adds formats for the time of a test: boxed, and strange, which is of
// another family.
func withFormats(t *testing.T) {
	t.Helper()
	before := image.Formats
	image.Formats = append(slices.Clone(before),
		image.Format{Name: "boxed", Ending: ".box", Description: "the disk in a box", Tools: map[string][]string{"debian": {"boxer"}}, Convert: task.Define[image.ConvertParams]("boxed", 1, nil)},
		image.Format{Name: "strange", Ending: ".str", Tools: map[string][]string{"another": {"boxer"}}, Convert: task.Define[image.ConvertParams]("strange", 1, nil)},
	)
	t.Cleanup(func() { image.Formats = before })
}

// formatsFlavour is a flavour of the project whose image is made in the formats that
// are listed; nil: its feature does not declare the parameter.
func formatsFlavour(t *testing.T, formats []string) (*config.Project, *config.Flavour) {
	t.Helper()
	project := loadProject(t, treetest.Shipped(t))
	i := slices.IndexFunc(project.Flavours, func(f *config.Flavour) bool { return f.Name == "debian-testing-amd64-ostree" })
	f := project.Features["ostreeImage"]
	if f == nil || i < 0 {
		t.Fatal("the flavour or its feature is gone")
	}
	f.Parameters = slices.DeleteFunc(f.Parameters, func(p config.Parameter) bool { return p.Name == image.FormatsParameter })
	if formats != nil {
		text := fmt.Sprintf("type: element\nstage: image\nparameters:\n  %s: {default: [%s]}\n", image.FormatsParameter, strings.Join(formats, ", "))
		other, diags := config.Load(fstest.MapFS{"features/x/info.yaml": {Data: []byte(text)}}, config.Options{Choices: Choices()})
		if other.Features["x"] == nil || len(other.Features["x"].Parameters) != 1 {
			t.Fatal(diags)
		}
		f.Parameters = append(f.Parameters, other.Features["x"].Parameters...)
	}
	return project, project.Flavours[i]
}

func planFormats(t *testing.T, formats []string) *plan.Graph {
	t.Helper()
	project, f := formatsFlavour(t, formats)
	return planFlavour(t, treetest.Shipped(t), project, f, nil)
}

// artifactsOf are the names of a step's artifacts.
func artifactsOf(s *plan.Step) string {
	var names []string
	for _, a := range s.Artifacts {
		names = append(names, a.Name)
	}
	return strings.Join(names, " ")
}

// TestFormats: another format adds its own steps and changes no other, and without
// raw the disk is not handed out.
func TestFormats(t *testing.T) {
	withFormats(t)
	const disk, box = "debian-testing-amd64-ostree.raw", "debian-testing-amd64-ostree.box"
	own := []string{"packages/image-boxed-tools", "tools/install-image-boxed-tools", "image/boxed"}
	undeclared, asRaw := planFormats(t, nil), planFormats(t, []string{"raw"})
	both, turned, alone := planFormats(t, []string{"raw", "boxed"}), planFormats(t, []string{"boxed", "raw"}), planFormats(t, []string{"boxed"})
	for _, s := range undeclared.Steps() {
		for name, g := range map[string]*plan.Graph{"raw": asRaw, "raw and boxed": both, "boxed and raw": turned, "boxed": alone} {
			if same := g.Key(s.ID) == undeclared.Key(s.ID); same == (name == "boxed" && s.ID == "image/disk") {
				t.Errorf("formats %s: %s has the same key: %v", name, s.ID, same)
			}
		}
	}
	for _, id := range own {
		if asRaw.Step(id) != nil || both.Step(id) == nil || alone.Step(id) == nil || both.Key(id) != turned.Key(id) {
			t.Errorf("%s is not planned when boxed is asked for alone", id)
		}
	}
	if n := len(undeclared.Steps()); len(asRaw.Steps()) != n || len(both.Steps()) != n+len(own) || len(alone.Steps()) != n+len(own) {
		t.Errorf("%d steps for raw, %d for raw and boxed, %d for boxed; undeclared %d", len(asRaw.Steps()), len(both.Steps()), len(alone.Steps()), n)
	}
	for name, got := range map[string][2]string{
		"raw":           {artifactsOf(asRaw.Step("image/disk")), disk},
		"raw and boxed": {artifactsOf(both.Step("image/disk")) + " " + artifactsOf(both.Step("image/boxed")), disk + " " + box},
		"boxed":         {artifactsOf(alone.Step("image/disk")) + artifactsOf(alone.Step("image/boxed")), box},
	} {
		if got[0] != got[1] {
			t.Errorf("formats %s: the image stage hands out %q, not %q", name, got[0], got[1])
		}
	}
	step := alone.Step("image/boxed")
	params, err := image.Formats[len(image.Formats)-2].Convert.Params(step)
	if want := (image.ConvertParams{Disk: disk, File: box}); err != nil || params != want || step.Inputs["disk"] != "image/disk" {
		t.Errorf("image/boxed has the parameters %+v and inputs %v, error %v", params, step.Inputs, err)
	}
}

// TestFormatFaults: what no check of the configuration has seen is not planned.
func TestFormatFaults(t *testing.T) {
	withFormats(t)
	for text, formats := range map[string][]string{
		`the parameter formats of "ostreeImage" is []; it has to name at least one of raw, `:             {},
		`the parameter formats of "ostreeImage" is ["raw" "boxd"]; it has to name at least one of raw, `: {"raw", "boxd"},
		`the parameter formats of "ostreeImage" is ["raw" "raw"]; `:                                      {"raw", "raw"},
		`no packages of the family "debian" that make the format "strange"`:                              {"strange"},
	} {
		project, f := formatsFlavour(t, []string{"raw"})
		spec, diags := compose.Resolve(project, f)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		v := spec.Parameters["ostreeImage"][image.FormatsParameter]
		v.Any = formats
		spec.Parameters["ostreeImage"][image.FormatsParameter] = v
		if _, err := Plan(requestOf(t, treetest.Shipped(t), spec)); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("formats %q: error %v, not %q", formats, err, text)
		}
	}
}

// TestFormatsList: a format is complete, and no two share a name or a file.
func TestFormatsList(t *testing.T) {
	seen := map[string]bool{}
	for i, f := range image.Formats {
		if f.Name == "" || f.Description == "" || !strings.HasPrefix(f.Ending, ".") || seen[f.Name] || seen[f.Ending] {
			t.Errorf("format %q is not complete, or is there twice: %+v", f.Name, f)
		}
		seen[f.Name], seen[f.Ending] = true, true
		if (f.Convert == nil) != (i == 0) {
			t.Errorf("only the first format is the disk as it is, and %q is the one of index %d", f.Name, i)
		}
		if f.Convert == nil {
			continue
		}
		if len(f.Tools) == 0 {
			t.Errorf("no family has tools for the format %q", f.Name)
		}
		if !slices.ContainsFunc(Actions, func(a task.Doer) bool { return a == task.Doer(f.Convert) }) {
			t.Errorf("the action of the format %q is not among those of flavours", f.Name)
		}
	}
	names := image.FormatNames()
	if want := Choices()["image"][image.FormatsParameter]; !slices.Equal(names, want) || names[0] != "raw" {
		t.Errorf("there are %q, and flavours can name %q", names, want)
	}
	for _, f := range loadProject(t, treetest.Shipped(t)).Features {
		for _, p := range f.Parameters {
			if f.Stage == "image" && p.Name == image.FormatsParameter && !slices.Equal(p.Values, names) {
				t.Errorf("feature %s: %s may be %q, and there are %q", f.Name, p.Name, p.Values, names)
			}
		}
	}
}
