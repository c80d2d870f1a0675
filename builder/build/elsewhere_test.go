package build_test

import (
	"slices"
	"testing"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/treetest"
)

// imageFeature stands for the image stage.
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
