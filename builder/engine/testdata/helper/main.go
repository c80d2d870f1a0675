// Command helper stands in for a feature's script in the engine's tests: a
// static program, so that the tree it runs in needs nothing. $DO says what to
// do.
package main

import (
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

func main() {
	fmt.Println("helper does", os.Getenv("DO"))
	if err := do(os.Getenv("DO")); err != nil {
		fmt.Fprintln(os.Stderr, "helper:", err)
		os.Exit(3)
	}
}

func do(what string) error {
	switch what {
	case "write":
		return write()
	case "look":
		return look()
	case "looks":
		return looks()
	case "fail":
		return fmt.Errorf("this is why it fails")
	case "talk":
		// More than a pipe holds: it goes on when all but that was read.
		for n := range 20000 {
			fmt.Println("word", n)
		}
	case "lie":
		// A reply of success, and then text that is not a reply.
		for fd := 3; fd < 100; fd++ {
			if _, err := syscall.Write(fd, []byte("{\"done\":true,\"result\":{}}\n{")); err == nil {
				fmt.Println("descriptor", fd, "can be written")
			}
		}
		return fmt.Errorf("but it did not")
	case "hang":
		// A grandchild, as scripts have them.
		child := exec.Command("/proc/self/exe")
		child.Env = []string{"DO=sleep", "MARK=" + os.Getenv("MARK")}
		if err := child.Start(); err != nil {
			return err
		}
		if err := os.WriteFile("/half-made", []byte("half"), 0o644); err != nil {
			return err
		}
		fmt.Println("hanging")
		time.Sleep(time.Hour)
	case "sleep":
		time.Sleep(time.Hour)
	case "secret", "leak", "link", "name", "shout":
		return lent(what)
	case "sync":
		f, err := os.Create("/synced")
		if err != nil {
			return err
		}
		return f.Sync()
	}
	return nil
}

// secretFile is where the secret token is.
const secretFile = "/run/treewright/secrets/token"

// lent does something with the secret.
func lent(what string) error {
	token, err := os.ReadFile(secretFile)
	if err != nil {
		return err
	}
	text := strings.TrimSpace(string(token))
	coded := base64.StdEncoding.EncodeToString([]byte("user:" + text))
	etc := "/etc"
	if len(os.Args) > 1 {
		etc = os.Args[1] + etc // of exec.post and exec.build
	}
	if err := os.MkdirAll(etc, 0o755); err != nil {
		return err
	}
	switch what {
	case "leak":
		return os.WriteFile(etc+"/leaked", []byte("auth = "+coded+"\n"), 0o600)
	case "link":
		return os.Symlink("/"+text, etc+"/leaked")
	case "name":
		return os.WriteFile(etc+"/"+text+".conf", nil, 0o600)
	case "shout":
		return exec.Command("/" + text).Run()
	}
	for _, path := range []string{"/run/treewright/secrets", secretFile} {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		fmt.Println("mode", info.Mode(), path, len(token))
	}
	for _, err := range []error{
		os.WriteFile(secretFile, nil, 0o600), os.WriteFile("/run/treewright/secrets/more", nil, 0o600), os.Remove(secretFile), os.Chmod(secretFile, 0o444),
	} {
		if err == nil {
			return fmt.Errorf("the secret can be changed")
		}
	}
	fmt.Println("said", text, "and", coded)
	return os.WriteFile(etc+"/allowed", token, 0o600)
}

// write changes the tree in every way there is.
func write() error {
	for _, err := range []error{
		os.Mkdir("/dir", 0o750),
		os.WriteFile("/dir/file", []byte("made\n"), 0o640),
		os.Chown("/dir/file", 12, 34),
		os.Link("/dir/file", "/dir/hard"),
		os.Symlink("file", "/dir/soft"),
		os.WriteFile("/etc/changed", []byte("now\n"), 0o644),
		os.Remove("/etc/removed"),
		os.RemoveAll("/replaced"),
		os.Mkdir("/replaced", 0o755),
		os.WriteFile("/replaced/new", nil, 0o755),
		os.Chmod("/etc/kept", 0o755|os.ModeSetuid),
		syscall.Mkfifo("/dir/fifo", 0o600),
	} {
		if err != nil {
			return err
		}
	}
	// Some time of its own, older than everything.
	return os.Chtimes("/dir/hard", time.Unix(1000, 0), time.Unix(1000, 0))
}

// look tells what a script can see of the host.
func look() error {
	ifs, err := net.Interfaces()
	if err != nil {
		return err
	}
	for _, i := range ifs {
		fmt.Printf("interface %s %v\n", i.Name, i.Flags&net.FlagUp != 0)
	}
	if _, err := net.DialTimeout("tcp", "192.0.2.1:80", time.Second); err != nil {
		fmt.Println("dial", err)
	} else {
		fmt.Println("dial works")
	}
	name, err := os.Hostname()
	if err != nil {
		return err
	}
	fmt.Println("hostname", name)
	for _, kv := range os.Environ() {
		fmt.Println("env", kv)
	}
	procs, err := os.ReadDir("/proc")
	if err != nil {
		return err
	}
	n := 0
	for _, p := range procs {
		if strings.Trim(p.Name(), "0123456789") == "" {
			n++
		}
	}
	fmt.Println("processes", n)
	sys, err := os.ReadDir("/sys")
	if err != nil {
		return err
	}
	fmt.Println("sys", len(sys))
	feature, err := os.ReadDir("/builder/features/x")
	if err != nil {
		return err
	}
	for _, f := range feature {
		fmt.Println("source", f.Name())
	}
	if err := os.WriteFile("/builder/features/x/new", nil, 0o644); err == nil {
		fmt.Println("sources can be written")
	}
	root, err := os.ReadDir("/")
	if err != nil {
		return err
	}
	for _, f := range root {
		fmt.Println("root", f.Name())
	}
	return nil
}
