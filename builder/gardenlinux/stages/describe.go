package stages

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/treewright/treewright/builder/bom"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/stage/bill"
	"github.com/treewright/treewright/builder/stage/installed"
	"github.com/treewright/treewright/builder/stage/machine"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treefs"
)

// volatile are the directories whose content is not part of a system.
var volatile = []string{"proc", "sys", "dev", "run", "tmp"}

// clearVolatile empties those directories, in a tree that is the step's alone.
func clearVolatile(tree string) error {
	for _, dir := range volatile {
		if err := layer.Empty(filepath.Join(tree, dir)); err != nil {
			return err
		}
	}
	return nil
}

var tarAction = task.Define("describe-tar", 1, packTree)

// packTree packs the tree, with the options of the Garden Linux builder's configure: the
// format and order are what people's scripts have met before.
func packTree(ctx context.Context, t *task.Task, _ struct{}) error {
	if err := clearVolatile(t.Tree); err != nil {
		return err
	}
	at, err := strconv.ParseInt(t.Step.Env["BUILDER_TIMESTAMP"], 10, 64)
	if err != nil {
		return fmt.Errorf("the tree's timestamp: %w", err)
	}
	return t.Tool(ctx, "tar", "--create", "--file", task.ToolOut+"/tar", "--directory", task.ToolTree,
		fmt.Sprintf("--mtime=@%d", at), "--sort=name", "--numeric-owner", "--xattrs", "--xattrs-include=security.*",
		"--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime", `--transform=s|^\./||`, ".")
}

var releaseAction = task.Define("describe-release", 1, takeRelease)

// takeRelease takes /etc/os-release out of the tree. Usually that is a link,
// of which the Garden Linux builder would make an empty file.
func takeRelease(_ context.Context, t *task.Task, _ struct{}) error {
	root, err := os.OpenRoot(t.Tree)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, name := range []string{"etc/os-release", "usr/lib/os-release"} {
		text, err := root.ReadFile(name)
		if err == nil {
			return os.WriteFile(filepath.Join(t.Out, "release"), text, 0o644)
		}
		fmt.Fprintf(t.Log, "%v\n", err)
	}
	return errors.New("the tree has no os-release")
}

type packagesParams struct {
	// Packages are those that were installed.
	Packages []distro.Package `json:"packages"`
}

var manifestAction = task.Define("describe-manifest", 1, listPackages)

// listPackages lists the tree's packages as dpkg-query does. A feature may
// have removed the package database; then what was installed is listed.
func listPackages(ctx context.Context, t *task.Task, p packagesParams) error {
	if !treefs.Exists(installed.StateFile(t.Distro, t.Tree)) {
		fmt.Fprintln(t.Log, "the tree has no package database; these are the packages that were installed")
		var b strings.Builder
		for _, pkg := range p.Packages {
			fmt.Fprintf(&b, "%s %s\n", pkg.Name, pkg.Version)
		}
		return os.WriteFile(filepath.Join(t.Out, "manifest"), []byte(b.String()), 0o644)
	}
	return t.Tool(ctx, "sh", "-c", `exec dpkg-query --admindir="$1" --show --showformat='${binary:Package} ${Version}\n' > "$2"`,
		"manifest", task.ToolTree+"/"+t.Distro.Database().Dir(), task.ToolOut+"/manifest")
}

type sbomParams struct {
	// Resolved are the packages that were installed, and Suite is where from.
	Resolved []bill.Origin `json:"resolved"`
	Suite    string        `json:"suite"`
}

var sbomAction = task.Define("describe-sbom", 2, writeSBOM)

// writeSBOM writes the bill of materials of the tree's packages, with what
// the Garden Linux builder has there about the system as a whole.
func writeSBOM(_ context.Context, t *task.Task, p sbomParams) error {
	env := t.Step.Env
	seconds, err := strconv.ParseInt(env["BUILDER_TIMESTAMP"], 10, 64)
	if err != nil {
		return fmt.Errorf("the tree's timestamp: %w", err)
	}
	status, err := os.ReadFile(installed.StateFile(t.Distro, t.Tree))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	packages, err := bill.Packages(t.Distro, t.Tree, string(status), t.Distro.Name(), p.Suite, p.Resolved)
	if err != nil {
		return err
	}
	text, err := bom.CycloneDX(&bom.Bill{
		Name: systemName(t.Tree), Version: env["BUILDER_VERSION"], Epoch: seconds, Packages: packages,
		Properties: []bom.Property{
			{Name: "cname", Value: env["BUILDER_CNAME"]}, {Name: "arch", Value: env["BUILDER_ARCH"]},
			{Name: "features", Value: env["BUILDER_FEATURES"]}, {Name: "build timestamp", Value: env["BUILDER_TIMESTAMP"]},
		},
	})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(t.Out, "sbom"), text, 0o644)
}

// systemName is what os-release calls the system, without quotes.
func systemName(tree string) string {
	text, _, err := machine.OSRelease(tree)
	if name := machine.Unquote(machine.ReleaseFields(text)["NAME"]); err == nil && name != "" {
		return name
	}
	return "Debian"
}

type requirementsParams struct {
	Files []string `json:"files"` // below /builder, in the order in which they are read
}

var requirementsAction = task.Define("describe-requirements", 2, gatherRequirements).Entered(prepareScriptTools)

// gatherRequirements lets a shell read the tree's defaults and the features'
// changes to an array of that name, and lists it. What is read finds the
// variables of the Garden Linux builder's image.requirements.
func gatherRequirements(ctx context.Context, t *task.Task, p requirementsParams) error {
	const script = `set -euo pipefail
out=$1; shift
declare -A requirements=([arch]=$BUILDER_ARCH)
features_dir=/builder/features
IFS=, read -r -a features <<< "${BUILDER_FEATURES-}"
for file in "$@"; do
	feature=${file%/*}
	feature=${feature##*/}
	. "$file"
done
for key in "${!requirements[@]}"; do
	echo "$key=${requirements[$key]}"
done | LC_ALL=C sort > "$out"
`
	argv := []string{"bash", "-c", script, "requirements", task.ToolOut + "/requirements"}
	for _, f := range p.Files {
		argv = append(argv, task.ToolSource+"/"+f)
	}
	return scriptTool(ctx, t, argv...)
}
