package vm

import (
	_ "embed"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"
)

//go:embed agent.bash
var agentScript []byte

// agentUnit starts the agent at every boot. /run may be mounted noexec, so
// what the disk brings is on a file system of its own. The unit waits for the disk
// itself: systemd gives up on a device after 90 seconds, which an emulated machine on
// a busy one may take to boot.
const agentUnit = `[Unit]
Description=Treewright's test agent

[Service]
TimeoutStartSec=infinity
ExecStartPre=/bin/sh -c 'until [ -b /dev/disk/by-id/virtio-` + payloadSerial + ` ]; do sleep 0.2; done'
ExecStartPre=/bin/mkdir -p ` + GuestDir + `
ExecStartPre=-/bin/umount -q ` + GuestDir + `
ExecStartPre=/bin/mount -t tmpfs -o mode=0755 treewright ` + GuestDir + `
ExecStartPre=/bin/tar -xf /dev/disk/by-id/virtio-` + payloadSerial + ` -C ` + GuestDir + `
ExecStart=/bin/bash ` + GuestDir + `/agent
Restart=always
`

// GuestDir is where a guest under test finds what the test brings.
const GuestDir = "/run/treewright"

// message is a line from the agent: "ready" with the boot's ID, or "done" with
// the rest.
type message struct {
	kind, boot string
	id, status int
	output     string
}

// parseMessage reads a line from the agent. Anything else than a whole message
// gives false: a machine that restarts cuts lines off.
func parseMessage(line string) (message, bool) {
	f := strings.Split(strings.TrimRight(line, "\r\n"), " ")
	switch {
	case len(f) == 2 && f[0] == "ready" && f[1] != "":
		return message{kind: "ready", boot: f[1]}, true
	case len(f) == 4 && f[0] == "done":
		id, err := strconv.Atoi(f[1])
		status, serr := strconv.Atoi(f[2])
		output, oerr := base64.StdEncoding.DecodeString(f[3])
		if err != nil || serr != nil || oerr != nil {
			return message{}, false
		}
		return message{kind: "done", id: id, status: status, output: string(output)}, true
	}
	return message{}, false
}

// runLine is the request to carry out a script.
func runLine(id int, limit time.Duration, script string) string {
	return fmt.Sprintf("run %d %d %s\n", id, max(1, int(limit.Seconds())), base64.StdEncoding.EncodeToString([]byte(script)))
}
