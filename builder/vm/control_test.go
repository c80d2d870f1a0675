package vm

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// qemu plays QEMU's end of a control connection: the answer to each command is
// made by a function, "" ends the machine.
func qemu(t *testing.T, dir string, answer func(command string) string) <-chan struct{} {
	ended := make(chan struct{})
	conn, err := net.Dial("unix", dir+"/"+controlSocket)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(ended)
		defer conn.Close()
		fmt.Fprintln(conn, `{"QMP": {"version": {}, "capabilities": []}}`)
		in := bufio.NewReader(conn)
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			reply := answer(strings.TrimSpace(line))
			if reply == "" {
				return
			}
			fmt.Fprintln(conn, reply)
		}
	}()
	return ended
}

func TestSwitchOff(t *testing.T) {
	dir := t.TempDir()
	listener, err := listenIn(dir, controlSocket)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	var said []string
	ended := qemu(t, dir, func(command string) string {
		said = append(said, command)
		if len(said) == 1 {
			return `{"return": {}}`
		}
		return ""
	})
	if err := switchOff(context.Background(), listener, ended, time.Minute); err != nil {
		t.Error(err)
	}
	<-ended
	if got, want := strings.Join(said, " "), `{"execute": "qmp_capabilities"} {"execute": "system_powerdown"}`; got != want {
		t.Errorf("QEMU was told %s, not %s", got, want)
	}
}

func TestControlRefuses(t *testing.T) {
	dir := t.TempDir()
	listener, err := listenIn(dir, controlSocket)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ended := qemu(t, dir, func(command string) string {
		if strings.Contains(command, "powerdown") {
			return `{"event": "SHUTDOWN"}` + "\n" + `{"error": {"desc": "no button"}}`
		}
		return `{"return": {}}`
	})
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	answers := json.NewDecoder(conn)
	if err := command(conn, answers, "qmp_capabilities"); err != nil {
		t.Error(err)
	}
	if err := command(conn, answers, "system_powerdown"); err == nil || !strings.Contains(err.Error(), "no button") {
		t.Errorf("a machine without a button gives %v", err)
	}
	conn.Close()
	<-ended
}

func TestSwitchOffGivesUp(t *testing.T) {
	dir := t.TempDir()
	listener, err := listenIn(dir, controlSocket)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ended := qemu(t, dir, func(string) string { return `{"return": {}}` })
	if err := switchOff(context.Background(), listener, ended, 10*time.Millisecond); err == nil || !strings.Contains(err.Error(), "did not switch itself off") {
		t.Errorf("a machine that does not react gives %v", err)
	}
	<-ended
}
