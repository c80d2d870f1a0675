package vm

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/treetest"
)

// TestListSockets asks this very machine, on which the test listens.
func TestListSockets(t *testing.T) {
	port := map[string]string{}
	for _, c := range []struct{ network, address string }{
		{"tcp4", "127.0.0.1:0"}, {"tcp4", "0.0.0.0:0"}, {"tcp6", "[::]:0"}, {"tcp6", "[::1]:0"},
	} {
		l, err := net.Listen(c.network, c.address)
		if err != nil {
			treetest.Skip(t, "needs IPv4 and IPv6: %v", err)
		}
		defer l.Close()
		port[c.address] = strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	}
	packets, err := net.ListenPacket("udp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer packets.Close()
	udp := strconv.Itoa(packets.LocalAddr().(*net.UDPAddr).Port)
	// A client is not a listener.
	client, err := net.Dial("udp4", "127.0.0.1:9")
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()

	cmd := exec.Command("bash", "-c", "set -euo pipefail\n"+listSockets)
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	all, err := parseListeners(string(out))
	if err != nil {
		t.Fatal(err)
	}
	text := undeclared(all, nil)
	for _, want := range []string{
		"  tcp/" + port["0.0.0.0:0"] + " on 0.0.0.0, by vm.test (", "  tcp/" + port["[::]:0"] + " on ::, by vm.test (", "  udp/" + udp + " on 0.0.0.0, by vm.test (",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	for _, lack := range []string{"tcp/" + port["127.0.0.1:0"] + " ", "tcp/" + port["[::1]:0"] + " ", "udp/" + strconv.Itoa(client.LocalAddr().(*net.UDPAddr).Port) + " "} {
		if strings.Contains(text, lack) {
			t.Errorf("%q in\n%s", lack, text)
		}
	}
	declared := []string{"tcp/" + port["0.0.0.0:0"], "tcp/" + port["[::]:0"], "udp/" + udp}
	if left := undeclared(all, declared); strings.Contains(left, "vm.test") {
		t.Errorf("what is declared is reported:\n%s", left)
	}
}

// sockets is what a machine of the default flavour said in November 2026, when
// it still answered to LLMNR.
const sockets = `socket tcp 3500007F:0035 4141
socket tcp 3600007F:0035 4143
socket tcp 00000000:14EB 4128
socket tcp 00000000:0016 4986
socket tcp6 00000000000000000000000000000000:14EB 4136
socket tcp6 00000000000000000000000000000000:0016 4988
socket udp 3600007F:0035 4142
socket udp 3500007F:0035 4140
socket udp 00000000:14EB 4127
socket udp6 00000000000000000000000000000000:14EB 4135
socket raw6 00000000000000000000000000000000:003A 5856
holder 4127 systemd-resolved.service systemd-resolve
holder 4128 systemd-resolved.service systemd-resolve
holder 4135 systemd-resolved.service systemd-resolve
holder 4136 systemd-resolved.service systemd-resolve
holder 4140 systemd-resolved.service systemd-resolve
holder 4141 systemd-resolved.service systemd-resolve
holder 4142 systemd-resolved.service systemd-resolve
holder 4143 systemd-resolved.service systemd-resolve
holder 5856 systemd-networkd.service systemd-network
holder 4986 ssh.service sshd
holder 4988 ssh.service sshd
`

// otherSockets are forms that it did not have: an IPv4 address in a table of
// IPv6, one of a link, one of a port, a socket of systemd's and one of nobody's.
const otherSockets = `socket tcp6 0000000000000000FFFF00000100007F:1F90 1
socket udp6 000080FE00000000FF0054505634120E:0222 5900
socket udp 0F02000A:0044 5899
socket tcp 00000000:0016 6120
holder 5899 systemd-networkd.service systemd-network
holder 6120 init.scope systemd
holder 6120 init.scope systemd
`

func TestUndeclaredSockets(t *testing.T) {
	session, far := guest(t)
	go answer(far, func(string) (string, int) { return sockets, 0 })
	s := &Scenario{Session: session, Report: &Report{Out: &strings.Builder{}}, Listens: []string{"raw/58", "tcp/22", "udp/546", "udp/68"}}
	s.listening(context.Background(), "network", "listening")
	const want = `other machines can reach sockets that no feature declares:
  tcp/5355 on 0.0.0.0, by systemd-resolve (systemd-resolved.service)
  tcp/5355 on ::, by systemd-resolve (systemd-resolved.service)
  udp/5355 on 0.0.0.0, by systemd-resolve (systemd-resolved.service)
  udp/5355 on ::, by systemd-resolve (systemd-resolved.service)
Turn off the programs that open them; or, if they are intended, write to info.yaml of the feature that adds them
  listens: [tcp/5355, udp/5355]`
	if got := s.Report.Results[0]; got.Outcome != Failed || got.Text != want {
		t.Errorf("%s\n%s\nwant\n%s", got.Outcome, got.Text, want)
	}
	s.Listens = append(s.Listens, "tcp/5355", "udp/5355")
	s.listening(context.Background(), "network", "listening")
	if got := s.Report.Results[1]; got.Outcome != Passed {
		t.Errorf("%s\n%s", got.Outcome, got.Text)
	}

}

func TestParseListeners(t *testing.T) {
	all, err := parseListeners(otherSockets)
	if err != nil {
		t.Fatal(err)
	}
	const want = `tcp/8080 127.0.0.1 ""
udp/546 fe80::5054:ff:e12:3456 ""
udp/68 10.0.2.15 "systemd-network (systemd-networkd.service)"
tcp/22 0.0.0.0 "systemd, for a socket unit (systemctl list-sockets)"
`
	var got strings.Builder
	for _, l := range all {
		fmt.Fprintf(&got, "%s %s %q\n", l.name, l.addr, l.holder)
	}
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
	if text := undeclared(all, []string{"tcp/22", "udp/68"}); !strings.Contains(text, "  udp/546 on fe80::5054:ff:e12:3456, by the kernel, or a process that has ended\n") || strings.Contains(text, "8080") {
		t.Errorf("said is\n%s", text)
	}
	for _, bad := range []string{"socket tcp 0000:14EB 1", "socket tcp 0000007F 1", "socket tcp x:1 1", "socket tcp 000000:1 1", "socket tcp"} {
		if _, err := parseListeners(bad); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}

func TestRemoteCredentials(t *testing.T) {
	unit := string(Remote{Name: "main", URL: "http://10.0.2.2:8080/a%20b/repo"}.Credentials()[0].Value)
	const want = `ExecStart=/bin/sh -c "ostree remote list | grep --quiet --line-regexp --fixed-strings main || ostree remote add --no-gpg-verify main http://10.0.2.2:8080/a%%20b/repo"`
	if !strings.Contains(unit, "\n"+want+"\n") {
		t.Errorf("the unit is\n%s", unit)
	}
}
