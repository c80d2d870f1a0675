package stage

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/stage/planner"
	"github.com/treewright/treewright/builder/treetest"
)

// TestOneMorePackage: the packages of the system are installed in several steps, and one that is
// asked for later than others leaves the steps of those as they are.
func TestOneMorePackage(t *testing.T) {
	var many []string
	for i := range 40 {
		many = append(many, fmt.Sprintf("many-%02d", i))
	}
	installs := func(features, packages string, more map[string]string) (ids []string, keys map[string]string) {
		dir := filepath.Join(t.TempDir(), "tree")
		files := map[string]string{
			"features/first/info.yaml": "description: one\ntype: platform\n", "features/first/pkg.include": strings.Join(many, "\n") + "\n",
			"features/second/info.yaml": "description: two\ntype: element\nfeatures:\n  include: [first]\n", "features/second/pkg.include": "few\n",
			"features/third/info.yaml": "description: three\ntype: element\nfeatures:\n  include: [second]\n", "features/third/pkg.include": "sole\n",
			"flavours/it.hcl": fmt.Sprintf("flavour \"it\" {\n  distribution {\n    suite = \"testing\"\n    arch  = \"amd64\"\n  }\n  features = [%s]\n  packages = [%s]\n}\n", features, packages),
		}
		for name, text := range more {
			files[name] += text
		}
		treetest.WriteAll(t, dir, files)
		p := loadProject(t, dir)
		g := planFlavour(t, dir, p, p.Flavours[0], nil)
		keys = map[string]string{}
		for _, s := range g.Steps() {
			if s.Stage == "rootfs" && s.Action == planner.InstallAction.Name() {
				ids = append(ids, strings.TrimPrefix(s.ID, "rootfs/install-"))
				keys[s.ID] = g.Key(s.ID)
			}
		}
		return ids, keys
	}
	_, before := installs(`"second"`, ``, nil)
	for name, tc := range map[string]struct {
		features, packages string
		more               map[string]string
		// steps are those that install, "=" after one that the system without the change has too.
		steps string
	}{
		"nothing":                        {`"second"`, ``, nil, "system/first= system="},
		"of the flavour":                 {`"second"`, `"own"`, nil, "system/first= system/second= system"},
		"of a feature that comes last":   {`"third"`, ``, nil, "system/first= system"},
		"of the last feature":            {`"second"`, ``, map[string]string{"features/second/pkg.include": "new\n"}, "system/first= system"},
		"of the first feature":           {`"second"`, ``, map[string]string{"features/first/pkg.include": "new\n"}, "system/first system"},
		"that others ask for":            {`"second"`, `"few"`, nil, "system/first= system="},
		"that is there":                  {`"second"`, `"apt"`, nil, "system/first= system"},
		"of the flavour and one there":   {`"second"`, `"own", "many-01"`, nil, "system/first= system/second= system"},
		"that the flavour wants without": {`"first"`, `"own"`, nil, "system/first= system"},
	} {
		ids, after := installs(tc.features, tc.packages, tc.more)
		var got []string
		for _, id := range ids {
			for _, key := range before {
				if key == after["rootfs/install-"+id] {
					id += "="
				}
			}
			got = append(got, id)
		}
		if strings.Join(got, " ") != tc.steps {
			t.Errorf("%s: %s\nwant %s", name, strings.Join(got, " "), tc.steps)
		}
	}
}
