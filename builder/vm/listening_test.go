package vm

import (
	"context"
	"net"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestListSockets asks this very machine, on which the test listens.
func TestListSockets(t *testing.T) {
	port := map[string]string{}
	for _, c := range []struct{ network, address string }{
		{"tcp4", "127.0.0.1:0"}, {"tcp4", "0.0.0.0:0"}, {"tcp6", "[::]:0"}, {"tcp6", "[::1]:0"},
	} {
		l, err := net.Listen(c.network, c.address)
		if err != nil {
			t.Skipf("needs IPv4 and IPv6: %v", err)
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
	// A client is no listener.
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
const sockets = `socket tcp 00000000:14EB 5312
socket tcp 3600007F:0035 5325
socket tcp 00000000:0016 6120
socket tcp6 00000000000000000000000000000000:14EB 5315
socket tcp6 0000000000000000FFFF00000100007F:1F90 1
socket udp 0F02000A:0044 5899
socket udp 00000000:14EB 5311
socket udp6 000080FE00000000FF0054505634120E:0222 5900
socket raw6 00000000000000000000000000000000:003A 5898
holder 5312 systemd-resolved.service systemd-resolve
holder 5311 systemd-resolved.service systemd-resolve
holder 5315 systemd-resolved.service systemd-resolve
holder 5899 systemd-networkd.service systemd-network
holder 6120 init.scope systemd
`

func TestUndeclaredSockets(t *testing.T) {
	session, far := guest(t)
	go answer(far, func(string) (string, int) { return sockets, 0 })
	s := &Scenario{Session: session, Report: &Report{Out: &strings.Builder{}}, Listens: []string{"raw/58", "udp/546", "udp/68"}}
	s.listening(context.Background(), "network", "listening")
	const want = `other machines can reach sockets that no feature names:
  tcp/22 on 0.0.0.0, by systemd, for a socket unit (systemctl list-sockets)
  tcp/5355 on 0.0.0.0, by systemd-resolve (systemd-resolved.service)
  tcp/5355 on ::, by systemd-resolve (systemd-resolved.service)
  udp/5355 on 0.0.0.0, by systemd-resolve (systemd-resolved.service)
Turn off what opens them; or, where they are wanted, write to info.yaml of the feature that brings them
  listens: [tcp/22, tcp/5355, udp/5355]`
	if got := s.Report.Results[0]; got.Outcome != Failed || got.Text != want {
		t.Errorf("%s\n%s\nwant\n%s", got.Outcome, got.Text, want)
	}
	s.Listens = append(s.Listens, "tcp/22", "tcp/5355", "udp/5355")
	s.listening(context.Background(), "network", "listening")
	if got := s.Report.Results[1]; got.Outcome != Passed {
		t.Errorf("%s\n%s", got.Outcome, got.Text)
	}

	all, err := parseListeners(sockets)
	if err != nil {
		t.Fatal(err)
	}
	var addrs []string
	for _, l := range all {
		addrs = append(addrs, l.addr.String())
	}
	if want := []string{"0.0.0.0", "127.0.0.54", "0.0.0.0", "::", "127.0.0.1", "10.0.2.15", "0.0.0.0", "fe80::5054:ff:e12:3456", "::"}; !slices.Equal(addrs, want) {
		t.Errorf("addresses are %q, not %q", addrs, want)
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
