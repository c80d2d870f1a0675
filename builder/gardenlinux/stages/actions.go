package stages

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/treewright/treewright/builder/sandbox"
	"github.com/treewright/treewright/builder/sign"
	"github.com/treewright/treewright/builder/task"
)

type aptSourcesParams struct {
	Mirror string `json:"mirror"`
	Suite  string `json:"suite"`
}

var aptSourcesAction = task.Define("apt-sources", 2, writeAptSources)

// writeAptSources tells the system's apt where its packages come from, under
// the names that the Garden Linux builder's bootstrap uses, and leaves the two files that
// mmdebstrap copies there from its host and features overwrite.
func writeAptSources(_ context.Context, t *task.Task, p aptSourcesParams) error {
	for _, dir := range []string{"etc/apt/trusted.gpg.d", "etc/apt/sources.list.d"} {
		if err := os.MkdirAll(filepath.Join(t.Tree, dir), 0o755); err != nil {
			return err
		}
	}
	files := map[string]string{"etc/hostname": "localhost\n", "etc/resolv.conf": ""}
	keyring := strings.TrimPrefix(t.Distro.DefaultKeyring(), "/")
	if own := t.Sources["keyring"]; own != "" {
		key, err := os.ReadFile(own)
		if err != nil {
			return err
		}
		if !strings.HasPrefix(string(key), "-----BEGIN PGP") {
			key = sign.Armoured(sign.KeysText, key)
		}
		keyring = "etc/apt/trusted.gpg.d/keyring.asc"
		files[keyring] = string(key)
	}
	files["etc/apt/sources.list.d/gardenlinux.sources"] = fmt.Sprintf(
		"Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nEnabled: yes\nSigned-By: /%s\n", p.Mirror, p.Suite, keyring)
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(t.Tree, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

type scriptParams struct {
	Feature string `json:"feature"`
	Script  string `json:"script"`
}

var lastingAction = task.Define("lasting-script", 1, runLasting)

// runLasting runs a feature's script inside the tree, and waits for programs that
// it leaves in the background. It finds in /tmp and /run what earlier steps left
// there: in the Garden Linux builder one tree is there for all of them.
func runLasting(ctx context.Context, t *task.Task, p scriptParams) error {
	script := task.ToolSource + "/features/" + p.Feature + "/" + p.Script
	if err := prepareLasting(t); err != nil {
		return err
	}
	return t.WithSources(func() error {
		argv := task.Runnable(t.Tree, script)
		t.Announce(argv)
		return runToEnd(ctx, t, sandbox.Command{Argv: argv, Root: t.Tree, Env: t.Env()})
	})
}

var postAction = task.Define("lasting-post", 1, runPost)

// runPost runs exec.post, with the tree's path. Like the
// Garden Linux builder's it finds /proc, /sys and /dev in the tree.
func runPost(ctx context.Context, t *task.Task, p scriptParams) error {
	if err := prepareLasting(t); err != nil {
		return err
	}
	if err := prepareScriptTools(t); err != nil {
		return err
	}
	return scriptTool(ctx, t, task.Runnable(t.ToolsRoot, task.ToolSource+"/features/"+p.Feature+"/"+p.Script, task.ToolTree)...)
}

type artifactParams struct {
	Script string `json:"script"` // below /builder
	// Input and Output are the names that the script is given.
	Input     string `json:"input"`
	Output    string `json:"output"`
	Takes     string `json:"takes"`
	Extension string `json:"extension"`
}

var artifactAction = task.Define("artifact-script", 1, runArtifactScript).Entered(prepareScriptTools)

// runArtifactScript runs a feature's image or convert script with the artifact it
// takes and the path of the one it makes.
func runArtifactScript(ctx context.Context, t *task.Task, p artifactParams) error {
	if err := prepareScriptTools(t); err != nil {
		return err
	}
	build := filepath.Join(t.ToolsRoot+task.ToolSource, ".build")
	if err := sandbox.Bind(filepath.Join(t.Inputs["input"], p.Takes), filepath.Join(build, p.Input), true); err != nil {
		return err
	}
	if err := scriptTool(ctx, t, task.Runnable(t.ToolsRoot, task.ToolSource+"/"+p.Script, ".build/"+p.Input, ".build/"+p.Output)...); err != nil {
		return err
	}
	left, err := os.ReadDir(build)
	if err != nil {
		return err
	}
	made := false
	for _, e := range left {
		switch e.Name() {
		case p.Input:
		case p.Output:
			made = true
		default:
			t.Warn("%s left other files in .build, which are not kept: %s; only %s is kept", p.Script, e.Name(), p.Output)
		}
	}
	if !made {
		return fmt.Errorf("%s succeeded but did not make %s, its second argument", p.Script, p.Output)
	}
	return os.Rename(filepath.Join(t.Scratch, "build", p.Output), filepath.Join(t.Out, p.Extension))
}

type imageParams struct {
	Fstabs []string `json:"fstabs"` // below /builder, the last one counts
	Mods   []string `json:"mods"`
}

var partitionedImageAction = task.Define("partitioned-image", 2, makePartitioned)

// makePartitioned divides a disk as the features' fstab says and fills
// it from the tree, with the programs that scripts have for it. The tree is
// taken apart for that, which no other step sees.
func makePartitioned(ctx context.Context, t *task.Task, p imageParams) error {
	if err := prepareScriptTools(t); err != nil {
		return err
	}
	tmp := filepath.Join(t.Scratch, "tmp")
	fstab := []byte{}
	var err error
	for i, name := range p.Fstabs {
		if i > 0 {
			t.Warn("%s replaces %s; to change a layout, a feature has an fstab.mod", name, p.Fstabs[i-1])
		}
		if fstab, err = os.ReadFile(filepath.Join(t.ToolsRoot+task.ToolSource, name)); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(tmp, "fstab"), stripComments(fstab), 0o644); err != nil {
		return err
	}
	for _, mod := range p.Mods {
		argv := []string{"sh", "-c", `exec "$@" < /tmp/fstab > /tmp/fstab.new`, "fstab.mod"}
		if err := scriptTool(ctx, t, append(argv, task.Runnable(t.ToolsRoot, task.ToolSource+"/"+mod)...)...); err != nil {
			return err
		}
		if fstab, err = os.ReadFile(filepath.Join(tmp, "fstab.new")); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(tmp, "fstab"), stripComments(fstab), 0o644); err != nil {
			return err
		}
	}
	if fstab, err = os.ReadFile(filepath.Join(tmp, "fstab")); err != nil {
		return err
	}
	fmt.Fprintf(t.Log, "fstab:\n%s", fstab)
	if err := clearVolatile(t.Tree); err != nil {
		return err
	}
	// What is left of the tree may lack the boot code that makedisk looks for.
	const script = `set -eu
mkdir -p /tmp/boot/usr/lib/SYSLINUX
code=usr/lib/SYSLINUX/gptmbr.bin
[ ! -e "$1/$code" ] || cp "$1/$code" "/tmp/boot/$code"
makepart --consume "$1" < /tmp/fstab > /tmp/partitions
makedisk /tmp/boot /tmp/image < /tmp/partitions
`
	if err := scriptTool(ctx, t, "sh", "-c", script, "image", task.ToolTree); err != nil {
		return err
	}
	return os.Rename(filepath.Join(tmp, "image"), filepath.Join(t.Out, "raw"))
}

// stripComments takes away what follows a "#", and lines with nothing on them,
// wherever in the pipeline an fstab comes from.
func stripComments(text []byte) []byte {
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(strings.TrimRight(line, "\n"), "#")
		if strings.TrimSpace(line) != "" {
			b.WriteString(line + "\n")
		}
	}
	return []byte(b.String())
}
