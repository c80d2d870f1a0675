package build_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/build/buildtest"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/treetest"
)

// TestSuiteTooOld: what a suite lacks whose name tells nothing is said at the line
// with its name, before anything is built.
func TestSuiteTooOld(t *testing.T) {
	tree := small(t)
	treetest.WriteAll(t, tree, map[string]string{
		"features/image/info.yaml": imageFeature,
		"flavours/image.yaml":      "flavours:\n  old:\n    distribution:\n      suite: " + buildtest.OldSuite + "\n      arch: amd64\n    features: [base, repo, image]\n",
	})
	b := open(t, tree)
	project, _, err := b.Load()
	if err != nil {
		t.Fatal(err)
	}
	s, err := b.Resolve(t.Context(), project, "old")
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Prepare(t.Context(), s, &recorder{})
	var faults *diag.Faults
	if !errors.As(err, &faults) || len(faults.List) != 1 {
		t.Fatalf("preparing it gives %v", err)
	}
	if f := faults.List[0]; f.Subject.Start.Line != 4 || f.Summary != "Suite too old" || !strings.Contains(f.Detail, "ostree 1 cannot") || !strings.Contains(f.Detail, "1.47.1 and newer") {
		t.Errorf("the fault is %v", f)
	}
}

// imageFeature is one with the image stage.
const imageFeature = `description: an image
type: element
stage: image
parameters:
  free_space_mib: {type: int, default: 1}
  kargs: {type: list, default: []}
  stateroot: {type: string, default: ""}
  boot_timeout_s: {type: int, default: 1}
  boot_tries: {type: int, default: 0}
`

// TestBootLoaderFromAnotherSuite: a suite whose GRUB is too old gets another one's,
// as tools of their own, and nothing else of that suite. All packages of the archive
// for tests are older than that.
func TestBootLoaderFromAnotherSuite(t *testing.T) {
	tree := small(t)
	treetest.WriteAll(t, tree, map[string]string{
		"features/image/info.yaml": imageFeature,
		"flavours/image.yaml": `flavours:
  stable:
    distribution: {suite: trixie, arch: amd64}
    features: [base, repo, image]
  newest:
    distribution: {suite: testing, arch: amd64}
    features: [base, repo, image]
`})
	b := open(t, tree)
	for name, steps := range map[string][]string{
		"stable": {"packages/base-testing", "tools/bootstrap-testing", "packages/boot-loader-tools", "tools/install-boot-loader-tools"},
		// Its own suite is the one that would be asked instead.
		"newest": nil,
	} {
		project, _, err := b.Load()
		if err != nil {
			t.Fatal(err)
		}
		s, err := b.Resolve(t.Context(), project, name)
		if err != nil {
			t.Fatal(err)
		}
		p, err := b.Prepare(t.Context(), s, &recorder{})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		loader, image := p.Packages.Tools[distro.ForBootLoader], p.Packages.Tools[distro.ForImage].Packages.Names()
		if steps == nil {
			if loader.Packages != nil || !slices.Contains(image, "grub-common") || p.Graph.Step("image/esp").Tools != "tools/install-image-tools" {
				t.Errorf("%s: the tools for the boot loader are %v, those for images %v", name, loader, image)
			}
			continue
		}
		if loader.From == nil || loader.From.Suite != "testing" || !slices.Contains(loader.Packages.Names(), "grub-common") || slices.Contains(image, "grub-common") {
			t.Errorf("%s: the tools for the boot loader are %+v, those for images %v", name, loader, image)
		}
		for _, id := range steps {
			if p.Graph.Step(id) == nil {
				t.Errorf("%s: there is no step %s", name, id)
			}
		}
		if esp, disk := p.Graph.Step("image/esp").Tools, p.Graph.Step("image/disk").Tools; esp != "tools/install-boot-loader-tools" || disk != "tools/install-image-tools" {
			t.Errorf("%s: the ESP is made by %s, the disk by %s", name, esp, disk)
		}
		if base := p.Graph.Step("tools/install-boot-loader-tools").Base; base != "tools/bootstrap-testing" {
			t.Errorf("%s: the boot loader's tools are above %s", name, base)
		}
	}
}
