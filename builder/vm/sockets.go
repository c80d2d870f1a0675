package vm

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// listenIn listens on a socket in dir. The path of a socket must be shorter
// than 108 bytes (unix(7)), which dir may not be: so it is named by way of an
// open directory.
func listenIn(dir, name string) (net.Listener, error) {
	directory, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer directory.Close()
	if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
		return nil, err
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: fmt.Sprintf("/proc/self/fd/%d/%s", directory.Fd(), name)})
	if err != nil {
		return nil, err
	}
	listener.SetUnlinkOnClose(false)
	return listener, nil
}

// dialIn connects with a socket in dir, whose path may be longer than the path of a socket;
// see [listenIn].
func dialIn(dir, name string) (net.Conn, error) {
	directory, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer directory.Close()
	return net.Dial("unix", fmt.Sprintf("/proc/self/fd/%d/%s", directory.Fd(), name))
}
