package stage

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/format"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treefs"
)

// rootLabel is the name of the root's file system, by which the boot loader
// and the kernel find it.
const rootLabel = "ROOT"

// firmware is what an architecture's UEFI and GRUB are called.
type firmware struct {
	// grub is GRUB's name for the platform, loader the file that firmware
	// starts from a disk without boot entries of its own (UEFI 3.5.1.1).
	grub, loader string
	// root is the type of a root partition.
	root string
}

var firmwares = map[string]firmware{
	"amd64": {grub: "x86_64-efi", loader: "BOOTX64.EFI", root: format.TypeRootAMD64},
	"arm64": {grub: "arm64-efi", loader: "BOOTAA64.EFI", root: format.TypeRootARM64},
}

type espParams struct {
	// Vendor names the folder below EFI that has GRUB's configuration.
	Vendor string `json:"vendor"`
	// Timeout is how long GRUB waits for a key, in seconds; -1 is for ever.
	Timeout int64 `json:"timeout"`
	// Tries is after how many failed boots the deployment before is booted, 0
	// for never.
	Tries int64 `json:"tries"`
}

type diskParams struct {
	File string `json:"file"`
	// Identity is what all UUIDs are derived from.
	Identity  []string `json:"identity"`
	Stateroot string   `json:"stateroot"`
	Ref       string   `json:"ref"`
	// Remote is what the machine calls the place it upgrades from; RemoteURL
	// is where that is, "" if that is left to the machine's owner.
	Remote    string   `json:"remote"`
	RemoteURL string   `json:"remote_url"`
	Kargs     []string `json:"kargs"`
	FreeMiB   int64    `json:"free_mib"`
	// Count says that GRUB counts boots.
	Count bool `json:"count"`
}

// planImage plans the stage that turns the newest commit into a disk that boots.
func planImage(p *Planner, c Commit) error {
	f := p.Spec.StageFeature("image")
	if f == nil {
		return nil
	}
	names, ok := CommitNames(p.Spec)
	if !ok {
		return fmt.Errorf("feature %q stands for the image stage, but flavour %q has no commit stage, whose commit the image is to hold; add a feature with stage: commit (ostreeRepo)",
			f.Name, p.Spec.Flavour.Name)
	}
	if _, ok := firmwares[p.arch()]; !ok {
		return fmt.Errorf("the image stage knows no UEFI firmware for the architecture %q of flavour %q", p.arch(), p.Spec.Flavour.Name)
	}
	params := diskParams{
		File:      p.Spec.Flavour.Name + ".raw",
		Identity:  []string{p.Spec.Flavour.Name, names.OSName},
		Stateroot: p.parameter(f, "stateroot").String(), Ref: names.Ref,
	}
	if params.Stateroot == "" {
		params.Stateroot = names.OSName
	}
	commitFeature := p.Spec.StageFeature("commit")
	params.Remote = p.parameter(commitFeature, "remote_name").String()
	params.RemoteURL = p.parameter(commitFeature, "remote_url").String()
	if params.Remote == "" {
		return fmt.Errorf("flavour %q: the parameter remote_name of %q must not be empty: the image's origin names it", p.Spec.Flavour.Name, commitFeature.Name)
	}
	params.Kargs, _ = p.parameter(f, "kargs").Any.([]string)
	params.FreeMiB, _ = p.parameter(f, "free_space_mib").Any.(int64)
	if params.FreeMiB < 0 {
		return fmt.Errorf("flavour %q: the parameter free_space_mib of %q must not be negative", p.Spec.Flavour.Name, f.Name)
	}
	esp := espParams{Vendor: p.Spec.Flavour.Distribution.Family}
	esp.Timeout, _ = p.parameter(f, "boot_timeout_s").Any.(int64)
	esp.Tries, _ = p.parameter(f, "boot_tries").Any.(int64)
	if esp.Tries < 0 || esp.Tries > maxTries {
		return fmt.Errorf("flavour %q: the parameter boot_tries of %q must be from 0 to %d", p.Spec.Flavour.Name, f.Name, maxTries)
	}
	if params.Count = esp.Tries > 0; params.Count {
		params.Kargs = append(params.Kargs[:len(params.Kargs):len(params.Kargs)], healthKargs...)
	}

	tools, err := p.ToolsLayer(distro.ForImage)
	if err != nil {
		return err
	}
	espID, err := p.Add(espAction.Step(esp, plan.Step{
		ID: "image/esp", Stage: "image", Title: "make the EFI system partition", Tools: tools, Output: plan.Dir, MemoryMiB: 128,
	}))
	if err != nil {
		return err
	}
	_, err = p.Add(diskAction.Step(params, plan.Step{
		ID: "image/disk", Stage: "image", Title: "deploy the commit into a disk image", Tools: tools, Inputs: map[string]string{"repo": c.Repo, "esp": espID}, Output: plan.Dir, MemoryMiB: 512,
		Artifacts: []plan.Artifact{{Name: params.File, Path: params.File, Kind: plan.FileArtifact, Description: "the disk image, for UEFI machines"}},
	}))
	return err
}

// grubModules are what GRUB has built in: all it needs to come to a menu and
// to a kernel, and to look around by hand. It loads no others from the disk.
var grubModules = []string{
	"part_gpt", "fat", "ext2", "search", "search_label", "search_fs_uuid", "normal", blsModule, "linux",
	"echo", "configfile", "test", "sleep", "serial", "terminal", "halt", "reboot", "ls", "cat", "regexp", "true",
	"all_video", "efi_gop", "loadenv",
}

// blsModule brings the command blscfg, which reads the boot entries that
// ostree writes. GRUB has it since 2.14.
const blsModule = "blsuki"

// grubConfig is what GRUB reads when it starts. Upgrades write boot entries
// and nothing else, so it never changes.
func grubConfig(timeout, tries int64) string {
	return "set timeout=" + strconv.FormatInt(timeout, 10) + "\n" +
		"set default=0\n" +
		"search --no-floppy --label " + rootLabel + " --set=root\n" +
		healthConfig(tries) +
		"blscfg --path ($root)/boot/loader/entries\n"
}

// espSize is the size of the EFI system partition in bytes. One GRUB takes
// about a megabyte; there is room for updates of firmware.
const espSize = 64 << 20

var espAction = task.Define("esp", 1, makeESP)

// makeESP makes t.Out/esp.img.
func makeESP(ctx context.Context, t *task.Task, p espParams) error {
	fw := firmwares[t.Step.Arch]
	if err := t.PrepareTools(); err != nil {
		return err
	}
	if !treefs.Exists(filepath.Join(t.ToolsRoot, "usr/lib/grub", fw.grub, blsModule+".mod")) {
		return errors.New("the GRUB of this suite has no command blscfg to read ostree's boot entries with; " +
			"the image stage needs GRUB 2.14 or newer")
	}
	prefix := "/EFI/" + p.Vendor
	loader := task.ToolScratch + "/" + fw.loader
	if err := t.Tool(ctx, append([]string{"grub-mkimage", "-O", fw.grub, "-p", prefix, "-o", loader}, grubModules...)...); err != nil {
		return err
	}
	config := grubConfig(p.Timeout, p.Tries)
	if err := os.WriteFile(filepath.Join(t.Scratch, "grub.cfg"), []byte(config), 0o644); err != nil {
		return err
	}
	// mcopy takes over the files' times.
	for _, name := range []string{fw.loader, "grub.cfg"} {
		if err := os.Chtimes(filepath.Join(t.Scratch, name), time.Unix(t.Epoch, 0), time.Unix(t.Epoch, 0)); err != nil {
			return err
		}
	}
	if err := treefs.MakeSparse(filepath.Join(t.Out, "esp.img"), espSize); err != nil {
		return err
	}
	id := sha256.Sum256([]byte(fw.grub + "\x00" + prefix + "\x00" + config))
	fat := format.VFAT{Label: "ESP", VolumeID: binary.BigEndian.Uint32(id[:])}
	const file = task.ToolOut + "/esp.img"
	for _, argv := range [][]string{
		fat.Argv(file),
		fat.MakeFolders(file, "/EFI", "/EFI/BOOT", prefix),
		fat.CopyIn(file, loader, "/EFI/BOOT/"+fw.loader),
		fat.CopyIn(file, task.ToolScratch+"/grub.cfg", prefix+"/grub.cfg"),
	} {
		if err := t.Tool(ctx, argv...); err != nil {
			return err
		}
	}
	return nil
}

var diskAction = task.Define("disk", 2, makeDisk)

// makeDisk makes the disk: a partition table, the EFI system partition, and
// a root with the commit deployed. Nothing is mounted for it.
func makeDisk(ctx context.Context, t *task.Task, p diskParams) error {
	// mke2fs gives files the times of their inodes, up to the epoch at the most.
	if now := time.Now(); now.Unix() < t.Epoch {
		return fmt.Errorf("the clock of this machine says %s, but the newest package was made %s; set the clock, or the image's bytes would depend on it",
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
		return fmt.Errorf("count the room for the first boot: %w", err)
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
	t.Facts["size"] = strconv.FormatInt(table.Size(), 10)
	return nil
}

// deploy makes a sysroot in the scratch folder that has the newest commit of
// the ref, without its history, as its one deployment.
func deploy(ctx context.Context, t *task.Task, p diskParams) error {
	const (
		sysroot = task.ToolScratch + "/sysroot"
		repo    = "--repo=" + sysroot + "/ostree/repo"
	)
	if err := os.Mkdir(filepath.Join(t.Scratch, "sysroot"), 0o755); err != nil {
		return err
	}
	head, err := ostree.At(filepath.Join(t.Inputs["repo"], "repo")).Head(p.Ref)
	if err != nil {
		return err
	}
	if head == "" {
		return fmt.Errorf("the repository has no ref %s", p.Ref)
	}
	t.Facts["commit"] = head
	commands := [][]string{
		{"ostree", "admin", "init-fs", "--epoch=1", sysroot},
		{"ostree", "admin", "--sysroot=" + sysroot, "stateroot-init", p.Stateroot},
		// GRUB reads the boot entries itself; their paths begin with /boot, as
		// that is a folder of the root file system.
		{"ostree", repo, "config", "set", "sysroot.bootloader", "none"},
		{"ostree", repo, "config", "set", "sysroot.bootprefix", "true"},
		{"ostree", repo, "config", "set", "sysroot.readonly", "true"},
	}
	if p.RemoteURL != "" {
		commands = append(commands, []string{"ostree", repo, "remote", "add", "--no-gpg-verify", p.Remote, p.RemoteURL, p.Ref})
	}
	// REMOTE:REF becomes the origin, which upgrades follow.
	deploy := []string{"ostree", "admin", "--sysroot=" + sysroot, "deploy", "--stateroot=" + p.Stateroot}
	// --karg would replace an earlier argument of the same name (two consoles).
	for _, karg := range append([]string{"root=LABEL=" + rootLabel, "rw"}, p.Kargs...) {
		deploy = append(deploy, "--karg-append="+karg)
	}
	commands = append(commands,
		[]string{"ostree", repo, "pull-local", "--remote=" + p.Remote, task.ToolIn + "/repo/repo", p.Ref},
		append(deploy, p.Remote+":"+p.Ref))
	for _, argv := range commands {
		if err := t.Tool(ctx, argv...); err != nil {
			return err
		}
	}
	if p.Count {
		return writeGrubEnv(filepath.Join(t.Scratch, "sysroot"))
	}
	return nil
}
