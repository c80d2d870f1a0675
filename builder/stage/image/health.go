package image

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// GRUB counts the boots since one last went well, by an "x" each, as its
// language has no numbers. When as many have failed as are allowed it takes the
// next entry, the deployment before. That a boot went well is noted by
// boot-health.service, a unit of the feature with this stage.
//
// The count is in GRUB's environment block, a file of a fixed size that GRUB
// writes to in place (its manual, "Environment block"). It must never be
// replaced by another file: GRUB does not read the journal of the file system,
// and could write to where the file was.
const (
	grubEnvFile  = "boot/grubenv" // below the root of the disk
	grubEnvSize  = 1024
	triesName    = "boot_tries"
	triesSpent   = "fallback"
	MaxTries     = 20
	grubEnvMagic = "# GRUB Environment Block\n"
)

// GrubEnv is an environment block without variables.
func GrubEnv() []byte {
	return append([]byte(grubEnvMagic), bytes.Repeat([]byte("#"), grubEnvSize-len(grubEnvMagic))...)
}

// healthConfig is the part of GRUB's configuration that counts, "" for no
// tries. It needs $root.
func healthConfig(tries int64) string {
	if tries <= 0 {
		return ""
	}
	const file = "--file ($root)/" + grubEnvFile + " " + triesName
	return "load_env " + file + "\n" +
		fmt.Sprintf("if [ \"${%s}\" = %q -o \"${%s}\" = %q ]; then\n", triesName, strings.Repeat("x", int(tries)), triesName, triesSpent) +
		"  set default=1\n" +
		"  set " + triesName + "=" + triesSpent + "\n" +
		"else\n" +
		"  set " + triesName + "=\"${" + triesName + "}x\"\n" +
		"fi\n" +
		"save_env " + file + "\n"
}

// HealthKargs make a kernel that panics, and an initramfs that finds no root,
// start again in place of waiting for somebody.
var HealthKargs = []string{"panic=30", "rd.shell=0", "rd.emergency=reboot"}

// writeGrubEnv puts the environment block below sysroot.
func writeGrubEnv(sysroot string) error {
	return os.WriteFile(filepath.Join(sysroot, grubEnvFile), GrubEnv(), 0o644)
}
