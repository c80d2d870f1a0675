package image

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/treewright/treewright/builder/format"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/stage/commit"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treefs"
)

// DiskParams are the parameters of [DiskAction].
type DiskParams struct {
	File string `json:"file"`
	// Identity is what all UUIDs are derived from.
	Identity  []string `json:"identity"`
	Stateroot string   `json:"stateroot"`
	Ref       string   `json:"ref"`
	// Remote is what the machine calls the place it upgrades from; RemoteURL
	// is where that is, "" if that is left to the machine's owner.
	Remote    string `json:"remote"`
	RemoteURL string `json:"remote_url"`
	// Verify is set if the machine takes only commits that its keys have signed.
	Verify  bool     `json:"verify,omitempty"`
	Kargs   []string `json:"kargs"`
	FreeMiB int64    `json:"free_mib"`
	// Count reports that GRUB counts boots.
	Count bool `json:"count"`
}

// DiskAction makes the disk image that the newest commit is deployed in.
var DiskAction = task.Define("disk", 3, makeDisk)

// makeDisk makes the disk: a partition table, the EFI system partition, and
// a root with the commit deployed. Nothing is mounted for it.
func makeDisk(ctx context.Context, t *task.Task, p DiskParams) error {
	// mke2fs gives files the times of their inodes, up to the epoch at the most.
	if now := time.Now(); now.Unix() < t.Epoch {
		return fmt.Errorf("the clock of this machine says %s, but the newest package was made %s; set the clock, otherwise the image's bytes would depend on it",
			now.UTC().Format(time.DateTime), time.Unix(t.Epoch, 0).UTC().Format(time.DateTime))
	}
	if err := deploy(ctx, t, p); err != nil {
		return fmt.Errorf("deploy %s: %w", p.Ref, err)
	}
	sysroot := filepath.Join(t.Scratch, "sysroot")
	usage, err := settle(sysroot, t.Epoch)
	if err != nil {
		return fmt.Errorf("look over the deployment: %w", err)
	}
	if err := addFirstBoot(&usage, sysroot); err != nil {
		return fmt.Errorf("count the space for the first boot: %w", err)
	}

	uuid := func(role string) string { return format.UUID(append([]string{"treewright", role}, p.Identity...)...) }
	table := format.GPT{DiskID: uuid("disk")}
	espAt := table.Add(format.TypeESP, uuid("esp partition"), "ESP", espSize)
	root := format.Ext4{Label: rootLabel, UUID: uuid("root file system"), HashSeed: uuid("root hash seed"), Size: usage.Size(p.FreeMiB << 20)}
	// The last one, so that it can grow.
	root.Offset = table.Add(firmwares[t.Step.Arch].root, uuid("root partition"), rootLabel, root.Size)

	disk := filepath.Join(t.Out, p.File)
	if err := treefs.MakeSparse(disk, table.Size()); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(t.Scratch, "table"), []byte(table.Script()), 0o644); err != nil {
		return err
	}
	inside := task.ToolOut + "/" + p.File
	if err := t.Tool(ctx, format.Sfdisk(inside, task.ToolScratch+"/table")...); err != nil {
		return err
	}
	if err := t.Tool(ctx, root.Argv(task.ToolScratch+"/sysroot", inside)...); err != nil {
		return err
	}
	if err := treefs.CopySparse(filepath.Join(t.Inputs["esp"], "esp.img"), disk, espAt); err != nil {
		return fmt.Errorf("copy the EFI system partition: %w", err)
	}
	t.Unneeded = sysroot
	return nil
}

// deploy makes a sysroot in the scratch directory that has the newest commit of
// the ref, without its history, as its one deployment.
func deploy(ctx context.Context, t *task.Task, p DiskParams) error {
	const (
		sysroot = task.ToolScratch + "/sysroot"
		repo    = "--repo=" + sysroot + "/ostree/repo"
	)
	if err := os.Mkdir(filepath.Join(t.Scratch, "sysroot"), 0o755); err != nil {
		return err
	}
	from := ostree.At(filepath.Join(t.Inputs["repo"], "repo"))
	head, err := from.Head(p.Ref)
	if err != nil {
		return err
	}
	if head == "" {
		return fmt.Errorf("the repository has no ref %s", p.Ref)
	}
	commands := [][]string{
		{"ostree", "admin", "init-fs", "--epoch=1", sysroot},
		{"ostree", "admin", "--sysroot=" + sysroot, "stateroot-init", p.Stateroot},
		// GRUB reads the boot entries itself; their paths begin with /boot, as
		// that is a directory of the root file system.
		{"ostree", repo, "config", "set", "sysroot.bootloader", "none"},
		{"ostree", repo, "config", "set", "sysroot.bootprefix", "true"},
		{"ostree", repo, "config", "set", "sysroot.readonly", "true"},
	}
	if p.RemoteURL != "" {
		verify := []string{"--no-gpg-verify"}
		if p.Verify {
			verify = []string{"--set=gpg-verify=true", "--set=gpg-verify-summary=true"}
		}
		commands = append(commands, append(append([]string{"ostree", repo, "remote", "add"}, verify...), p.Remote, p.RemoteURL, p.Ref))
	}
	// REMOTE:REF becomes the origin, which upgrades follow.
	deploy := []string{"ostree", "admin", "--sysroot=" + sysroot, "deploy", "--stateroot=" + p.Stateroot}
	// --karg would replace an earlier argument of the same name (two consoles).
	for _, karg := range append([]string{"root=LABEL=" + rootLabel, "rw"}, p.Kargs...) {
		deploy = append(deploy, "--karg-append="+karg)
	}
	for _, argv := range commands {
		if err := t.Tool(ctx, argv...); err != nil {
			return err
		}
	}
	tree, err := commit.Contents(t)
	if err != nil {
		return err
	}
	bare := filepath.Join(t.Scratch, "sysroot/ostree/repo")
	if err := from.Deployable(ctx, head, tree, bare, p.Remote, p.Ref); err != nil {
		return err
	}
	err = ostree.At(bare).WithoutReserve(func() error { return t.Tool(ctx, append(deploy, p.Remote+":"+p.Ref)...) })
	if err != nil {
		return err
	}
	if p.Count {
		return writeGrubEnv(filepath.Join(t.Scratch, "sysroot"))
	}
	return nil
}
