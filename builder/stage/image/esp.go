package image

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/treewright/treewright/builder/format"
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

// Bootable reports whether images of an architecture can be made.
func Bootable(arch string) bool {
	_, known := firmwares[arch]
	return known
}

// ESPParams are the parameters of [ESPAction].
type ESPParams struct {
	// Vendor names the directory below EFI that has GRUB's configuration.
	Vendor string `json:"vendor"`
	// Timeout is how long GRUB waits for a key, in seconds; -1 is for ever.
	Timeout int64 `json:"timeout"`
	// Tries is after how many failed boots the deployment before is booted, 0
	// for never.
	Tries int64 `json:"tries"`
}

// ESPAction makes the EFI system partition, with GRUB.
var ESPAction = task.Define("esp", 1, makeESP)

// makeESP makes t.Out/esp.img.
func makeESP(ctx context.Context, t *task.Task, p ESPParams) error {
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
		fat.MakeDirectories(file, "/EFI", "/EFI/BOOT", prefix),
		fat.CopyIn(file, loader, "/EFI/BOOT/"+fw.loader),
		fat.CopyIn(file, task.ToolScratch+"/grub.cfg", prefix+"/grub.cfg"),
	} {
		if err := t.Tool(ctx, argv...); err != nil {
			return err
		}
	}
	return nil
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
// about a megabyte; there is space for updates of firmware.
const espSize = 64 << 20
