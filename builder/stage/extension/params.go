package extension

import (
	"context"

	"github.com/treewright/treewright/builder/account"
	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/format"
	"github.com/treewright/treewright/builder/stage/lint"
	"github.com/treewright/treewright/builder/task"
)

// TreeParams are the parameters of [TreeAction].
type TreeParams struct {
	Name string `json:"name"`
	// Exclude are the patterns of the files that are left out.
	Exclude []string `json:"exclude"`
	// Secrets are the secrets that the extension may contain.
	Secrets []lint.AllowedSecret `json:"secrets,omitempty"`
	// Packages reports that the extension is of packages that a machine's owner adds to a commit, and not of features.
	Packages bool `json:"packages,omitempty"`
	// Ledger holds the numbers that accounts have had in the system's history.
	Ledger account.Ledger `json:"ledger"`
}

// extensionFormats are the formats of images. The first one is made where a feature does
// not have the parameter.
var extensionFormats = []string{"squashfs", "erofs", "ddi", "ddi-erofs"}

// formatOf returns the format that an extension's image is asked for in.
func formatOf(spec *compose.Spec, ext compose.Extension) string {
	if name := spec.Parameters[ext.Feature.Name][compose.FormatParameter].String(); name != "" {
		return name
	}
	return extensionFormats[0]
}

// ImageParams are the parameters of [ImageAction].
type ImageParams struct {
	Name   string `json:"name"`
	Format string `json:"format"`
	UUID   string `json:"uuid"`
}

// ImageAction packs an extension's directory as an image.
var ImageAction = task.Define("extension-image", 2, packExtension).Recorded()

// packExtension packs the directory.
func packExtension(ctx context.Context, t *task.Task, p ImageParams) error {
	return packFileSystem(ctx, t, p, task.ToolOut+"/"+p.Name+".raw")
}

// packFileSystem packs the directory as a file system in a file.
func packFileSystem(ctx context.Context, t *task.Task, p ImageParams, file string) error {
	tree := task.ToolIn + "/tree/" + p.Name
	if p.Format == "erofs" {
		return t.Tool(ctx, format.EROFS(tree, file, p.UUID, t.Epoch)...)
	}
	return t.Tool(ctx, format.Squashfs(tree, file)...)
}

// Factory is the directory in which an extension, by its name, has its first content for /etc and
// /var. It is a separate directory, because the system and other extensions have files
// below /usr/share/factory too.
func Factory(name string) string { return "usr/share/factory/extension-" + name }
