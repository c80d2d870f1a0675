package vm

import (
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/treewright/treewright/builder/event"
)

// console is what a boot has told so far on the serial console.
type console struct {
	// started reports that something was found to boot; spoke that a kernel, or
	// what it started, writes here.
	started, spoke bool
	// login reports that somebody can log in, or is.
	login bool
	// automatic is who is logged in automatically; whether there is a shell
	// then is in login.
	automatic string
	// fault is why nothing more is to come, "" if it may.
	fault string
	// systemd is the version of the systemd that runs, 0 if it did not say.
	systemd int
	// last is the last line.
	last string
}

var (
	// kernelLine is a line of the kernel's log: printk.time is on by default in
	// all distributions' kernels.
	kernelLine = regexp.MustCompile(`^\[ *\d+\.\d{6}\]`)
	// statusLine is how systemd shows what it starts (show_status in
	// systemd-system.conf).
	statusLine     = regexp.MustCompile(`^(\[ {2}OK {2}\]|\[FAILED\]|\[DEPEND\]|Welcome to |systemd\[1\]:| {9}(Starting|Mounting|Activating) )`)
	systemdVersion = regexp.MustCompile(`systemd\[1\]: systemd (\d+)\D.* running in system mode`)
	// loginPrompt and automaticLogin are agetty's.
	loginPrompt    = regexp.MustCompile(`^[^\s:\[\]]+ login:(\s|$)`)
	automaticLogin = regexp.MustCompile(` login: (\S+) \(automatic login\)`)
	// shellPrompt is any after an automatic login, rootPrompt one that is known
	// as such without.
	shellPrompt = regexp.MustCompile(`^\S{0,80}[#$%](\s|$)`)
	rootPrompt  = regexp.MustCompile(`^root@[^\s:]+:\S*#(\s|$)`)
	// lostDevice is systemd waiting for a disk that would be there by now, and
	// saying that it will never have enough of it.
	lostDevice = regexp.MustCompile(`Job dev-.* running \(([3-9]|\d\d+)min .*/ no limit\)`)
)

// ends are the words after which nothing more is to come, and what they mean.
// Those that are a prompt begin the line.
var ends = []struct {
	words, meaning string
	begins         bool
}{
	{words: "No bootable option or device was found", meaning: "the firmware finds nothing to boot on the disk"},
	{words: "No bootable device.", meaning: "the firmware finds nothing to boot on the disk"},
	// The network comes after all disks.
	{words: ">>Start PXE over", meaning: "the firmware finds nothing to boot on the disk"},
	{words: ">>Start HTTP Boot over", meaning: "the firmware finds nothing to boot on the disk"},
	{words: "UEFI Interactive Shell", meaning: "the firmware finds nothing to boot on the disk"},
	{words: "Booting from ROM...", meaning: "the firmware finds nothing to boot on the disk"},
	{words: "grub rescue>", meaning: "GRUB does not find its files", begins: true},
	{words: "grub>", meaning: "GRUB finds nothing to start", begins: true},
	{words: "Kernel panic - not syncing", meaning: "the kernel panicked"},
	{words: "Entering emergency mode", meaning: "the initramfs failed"},
	{words: "Dropping to a shell!", meaning: "the initramfs failed"},
	{words: "(initramfs)", meaning: "the initramfs failed", begins: true},
	{words: "You are in emergency mode", meaning: "the system is in emergency mode"},
	{words: "You are in rescue mode", meaning: "the system is in rescue mode"},
	{words: "Give root password for maintenance", meaning: "the system is in emergency mode"},
	{words: "Press Enter for maintenance", meaning: "the system is in emergency mode"},
	{words: "Cannot open access to console, the root account is locked", meaning: "the system is in emergency mode"},
	{words: "Freezing execution", meaning: "systemd stopped after an error"},
}

// readConsole recognises what a console's text, from the firmware's first line
// on, tells.
func readConsole(text string) console {
	var c console
	for line := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if line = strings.TrimRight(event.CleanLine(line), " "); line != "" {
			c.read(line)
		}
	}
	return c
}

func (c *console) read(line string) {
	c.last = line
	if m := systemdVersion.FindStringSubmatch(line); m != nil {
		c.systemd, _ = strconv.Atoi(m[1])
	}
	switch m := automaticLogin.FindStringSubmatch(line); {
	case m != nil:
		c.automatic = m[1]
	case loginPrompt.MatchString(line) && !strings.HasPrefix(line, "Last "),
		rootPrompt.MatchString(line),
		c.automatic != "" && shellPrompt.MatchString(line):
		c.login = true
	}
	if kernelLine.MatchString(line) || statusLine.MatchString(line) || c.login || c.automatic != "" {
		c.spoke = true
	}
	// The kernel's first lines, before it knows of a console of its own, go to
	// all of the firmware's.
	if c.spoke || strings.HasPrefix(line, "EFI stub:") {
		c.started = true
	}
	if c.fault != "" {
		return
	}
	if lostDevice.MatchString(line) {
		c.fault = "the system waits for a device that does not appear: " + line
		return
	}
	for _, e := range ends {
		if e.begins && strings.HasPrefix(line, e.words) || !e.begins && strings.Contains(line, e.words) {
			c.fault = e.meaning + ": " + line
			return
		}
	}
}

// tailLines is how much of a console a report has: a panic with its trace.
const tailLines = 25

// consoleTail returns the last lines of a console's log, for a failure to which
// the guest itself has nothing to say.
func consoleTail(path string) string {
	text, err := os.ReadFile(path)
	if err != nil || len(text) == 0 {
		return ""
	}
	var lines []string
	for line := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n") {
		// systemd shows that it waits by going up a line and writing it again.
		if strings.HasPrefix(line, "\x1bM") && len(lines) > 0 {
			lines = lines[:len(lines)-1]
		}
		// A console speaks to a terminal, and may leave another in disorder.
		lines = append(lines, event.CleanLine(line))
	}
	return "\nthe console's last lines:\n" + strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}
