package extension

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/format"
	"github.com/treewright/treewright/builder/stage/planner"
	"github.com/treewright/treewright/builder/task"
)

// DDIParams are the parameters of [DDIAction].
type DDIParams struct {
	ImageParams
	// Seed is what the UUIDs of the partitions are derived from.
	Seed string `json:"seed"`
	// Signed is set if there is a partition for a signature. The signature is made when the
	// image is published: no step gets a key.
	Signed bool `json:"signed"`
}

// DDIAction packs an extension's directory as a discoverable disk image with dm-verity.
var DDIAction = task.Define("extension-ddi", 2, packDDI).Recorded()

// packDDI packs the directory, and notes what is to be signed.
func packDDI(ctx context.Context, t *task.Task, p DDIParams) error {
	data := p.Name + "." + p.Format
	if err := packFileSystem(ctx, t, p.ImageParams, task.ToolScratch+"/"+data); err != nil {
		return err
	}
	info, err := os.Stat(filepath.Join(t.Scratch, data))
	if err != nil {
		return err
	}
	ddi := format.DDI{Arch: t.Step.Arch, Name: p.Name, Seed: p.Seed, Data: task.ToolScratch + "/" + data, Size: info.Size(), Signed: p.Signed}
	definitions := filepath.Join(t.Scratch, "repart.d")
	if err := os.Mkdir(definitions, 0o755); err != nil {
		return err
	}
	for name, text := range ddi.Definitions() {
		if err := os.WriteFile(filepath.Join(definitions, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	if err := t.Tool(ctx, ddi.Argv(task.ToolScratch+"/repart.d", task.ToolOut+"/"+p.Name+".raw", task.ToolScratch+"/made.json")...); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(t.Scratch, "made.json"))
	if err != nil {
		return err
	}
	made, err := format.ReadDDI(text)
	if err != nil {
		return err
	}
	if p.Signed && made.SignatureAt == 0 {
		return errors.New("systemd-repart made no partition for the signature")
	}
	t.NoteVerity(made)
	return nil
}

// ddiTools are the packages, by family, with the programs that make a discoverable disk image.
// systemd-repart loads libcryptsetup when it makes hashes.
var ddiTools = map[string][]string{
	"debian": {"erofs-utils", "libcryptsetup12", "squashfs-tools", "systemd-repart"},
}

// Needs returns the tools that the formats of a flavour's extensions need beyond
// those of each.
func Needs(spec *compose.Spec) []planner.Need {
	if !slices.ContainsFunc(spec.Extensions, func(ext compose.Extension) bool { return compose.DDIFormats[formatOf(spec, ext)] != "" }) {
		return nil
	}
	return []planner.Need{planner.NeedOf(spec, distro.ForVerity, ddiTools)}
}
