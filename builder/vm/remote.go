package vm

import (
	"strings"

	"github.com/treewright/treewright/builder/sandbox"
)

// Remote is a repository that a machine follows, by the machine's name for it.
type Remote struct {
	Name, URL string
	// Signed is set if the machine has keys, by which it checks what it pulls.
	Signed bool
}

// script has the machine that it runs on follow the remote. One that knows a
// remote of that name already, from its image or its owner, keeps it.
func (r Remote) script() string {
	name, verify := sandbox.Quote(r.Name), "--no-gpg-verify"
	if r.Signed {
		verify = "--set=gpg-verify=true --set=gpg-verify-summary=true"
	}
	return "ostree remote list | grep --quiet --line-regexp --fixed-strings " + name +
		" || ostree remote add " + verify + " " + name + " " + sandbox.Quote(r.URL)
}

// first is script for a machine under test. The commit of an image does not have signatures, which come from the remote. ostree does not show
// the status of a deployment without them if its remote asks for them.
func (r Remote) first() string {
	if !r.Signed {
		return r.script()
	}
	return r.script() + "\nostree admin upgrade --pull-only"
}

// Credentials hand the remote to a machine that runs by itself.
func (r Remote) Credentials() []Credential {
	// What means something to systemd within double quotes, or to it at all.
	escaped := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%", "$", "$$").Replace(r.script())
	return UnitCredentials("treewright-remote.service", `[Unit]
Description=Follow what is served to this virtual machine
Before=ssh.service

[Service]
Type=oneshot
ExecStart=/bin/sh -c "`+escaped+`"
`)
}
