package stage

import (
	"testing"

	"github.com/treewright/treewright/builder/plan"
)

// TestRawFiles: raw_modules adds a step below the initramfs, with tools of its own, and
// raw_initramfs changes that of the initramfs. Neither does anything to steps before them.
func TestRawFiles(t *testing.T) {
	with := withParameters(t)
	plain, _ := with(nil)
	modules, _ := with(map[string]any{"raw_modules": true})
	initramfs, _ := with(map[string]any{"raw_initramfs": true})
	for _, s := range plain.Steps() {
		for name, other := range map[string]*plan.Graph{"raw_modules": modules, "raw_initramfs": initramfs} {
			before := s.Stage == "rootfs" || s.Stage == "packages" || s.Stage == "tools" || s.ID == "commit/accounts"
			if same := plain.Key(s.ID) == other.Key(s.ID); before && !same || s.ID == "commit/initramfs" && same {
				t.Errorf("%s: the key of %s is the same: %v", name, s.ID, same)
			}
		}
	}
	if s := modules.Step("commit/modules"); s == nil || s.Tools != "tools/install-commit-modules-tools" || modules.Step("commit/unnamed").Base != s.ID {
		t.Errorf("the step that decompresses modules is %+v", s)
	}
	if plain.Step("commit/modules") != nil || initramfs.Step("commit/modules") != nil {
		t.Error("modules are decompressed without raw_modules")
	}
	if got := initramfs.Step("commit/initramfs").Action; got != "raw-initramfs" {
		t.Errorf("the initramfs is made by %s", got)
	}
	if s := plain.Step("commit/initramfs"); s.Action != "initramfs" || s.Params != nil {
		t.Errorf("the initramfs of others is made by %s with %s", s.Action, s.Params)
	}
}
