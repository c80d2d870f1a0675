package stages

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/stage/installed"
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

// cycloneDX is as much of a bill of materials (CycloneDX 1.6, JSON) as a list
// of packages has to say.
type cycloneDX struct {
	Format     string        `json:"bomFormat"`
	Spec       string        `json:"specVersion"`
	Version    int           `json:"version"`
	Metadata   sbomMetadata  `json:"metadata"`
	Components []sbomPackage `json:"components"`
}

type sbomMetadata struct {
	Timestamp  string              `json:"timestamp"`
	Lifecycles []map[string]string `json:"lifecycles"`
	Component  sbomSystem          `json:"component"`
}

type sbomSystem struct {
	Type       string              `json:"type"`
	Name       string              `json:"name"`
	Version    string              `json:"version"`
	Properties []map[string]string `json:"properties"`
}

type sbomPackage struct {
	Ref     string `json:"bom-ref"`
	Type    string `json:"type"`
	Name    string `json:"name"`
	Version string `json:"version"`
	PURL    string `json:"purl"`
}

var sbomAction = task.Define("describe-sbom", 1, writeSBOM)

// writeSBOM writes the bill of materials of the tree's packages, with what
// the Garden Linux builder says of the system as a whole.
func writeSBOM(_ context.Context, t *task.Task, p packagesParams) error {
	packages := p.Packages
	if status, err := os.ReadFile(installed.StateFile(t.Distro, t.Tree)); err == nil {
		packages = t.Distro.Database().ReadState(string(status)).Installed
	}
	env := t.Step.Env
	seconds, err := strconv.ParseInt(env["BUILDER_TIMESTAMP"], 10, 64)
	if err != nil {
		return fmt.Errorf("the tree's timestamp: %w", err)
	}
	property := func(name, value string) map[string]string { return map[string]string{"name": name, "value": value} }
	bom := cycloneDX{
		Format: "CycloneDX", Spec: "1.6", Version: 1, Components: []sbomPackage{},
		Metadata: sbomMetadata{
			Timestamp:  time.Unix(seconds, 0).UTC().Format(time.RFC3339),
			Lifecycles: []map[string]string{{"phase": "post-build"}},
			Component: sbomSystem{
				Type: "operating-system", Name: systemName(t.Tree), Version: env["BUILDER_VERSION"],
				Properties: []map[string]string{
					property("cname", env["BUILDER_CNAME"]), property("arch", env["BUILDER_ARCH"]),
					property("features", env["BUILDER_FEATURES"]), property("build timestamp", env["BUILDER_TIMESTAMP"]),
				},
			},
		},
	}
	for _, pkg := range packages {
		// https://github.com/package-url/purl-spec, type deb
		purl := fmt.Sprintf("pkg:deb/debian/%s@%s?arch=%s", pkg.Name, strings.ReplaceAll(pkg.Version, ":", "%3A"), pkg.Arch)
		bom.Components = append(bom.Components, sbomPackage{Ref: purl, Type: "library", Name: pkg.Name, Version: pkg.Version, PURL: purl})
	}
	raw, err := json.MarshalIndent(bom, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(t.Out, "sbom"), append(raw, '\n'), 0o644)
}

// systemName is what os-release calls the system, without quotes.
func systemName(tree string) string {
	root, err := os.OpenRoot(tree)
	if err != nil {
		return "Debian"
	}
	defer root.Close()
	text, err := root.ReadFile("etc/os-release")
	if err != nil {
		return "Debian"
	}
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "NAME="); ok {
			return strings.Trim(name, `"'`)
		}
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
