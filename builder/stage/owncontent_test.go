package stage

import (
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/config/configtest"
	"github.com/treewright/treewright/builder/stage/image"
	"github.com/treewright/treewright/builder/treetest"
)

// TestOwnContentIsPlanned: kernel arguments get into the disk alone, after those of
// the feature, and moved lines change no key.
func TestOwnContentIsPlanned(t *testing.T) {
	tree := treetest.Shipped(t)
	project := loadProject(t, tree)
	i := slices.IndexFunc(project.Flavours, func(f *config.Flavour) bool { return f.Name == "debian-testing-amd64-ostree" })
	f := *project.Flavours[i]
	keys := func(line int, args ...string) map[string]string {
		at := configtest.Line("flavours/own.hcl", line)
		f.Content = config.Content{
			Files: []config.Generated{{Path: "/etc/own", Content: []byte("own"), Group: "own", Range: at}},
			Units: []config.Unit{{Name: "own.service", Verb: "enable", Range: at}},
			Users: []config.User{{Name: "own", Shell: "/bin/bash", Home: "/home/own", Range: at}},
		}
		for _, arg := range args {
			f.Content.KernelArgs = append(f.Content.KernelArgs, config.Line{Text: arg, Range: at})
		}
		g := planFlavour(t, tree, project, &f, nil)
		keys := map[string]string{}
		for _, s := range g.Steps() {
			keys[s.ID] = g.Key(s.ID)
			if s.ID == "image/disk" {
				p, err := image.DiskAction.Params(s)
				if err != nil {
					t.Fatal(err)
				}
				if got := strings.Join(p.Kargs, " "); !strings.Contains(got, strings.TrimSpace("console=ttyS0 "+strings.Join(args, " "))+" panic=30") {
					t.Errorf("the kernel arguments are %s", got)
				}
			}
		}
		return keys
	}
	first, moved, quiet := keys(1), keys(9), keys(1, "quiet", "splash")
	for id, key := range first {
		if moved[id] != key {
			t.Errorf("%s has another key when lines move", id)
		}
		if disk := strings.HasPrefix(id, "image/disk"); disk == (quiet[id] == key) {
			t.Errorf("with kernel arguments the key of %s changes: %v", id, quiet[id] != key)
		}
	}
	for _, id := range []string{"rootfs/accounts/flavour", "rootfs/file.include/flavour", "rootfs/settings/flavour", "image/disk"} {
		if first[id] == "" {
			t.Errorf("there is no step %s", id)
		}
	}
}
