package vm

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
)

// guestSSH is where QEMU, in a job without the host's network, leads to the guest's ssh
// server.
var guestSSH = Forward{Host: netip.MustParseAddrPort("127.0.0.1:2222"), Guest: 22}

// Inbound is a way from this machine to a guest's ssh server. The job has no network with
// this machine, and is given the socket that listens.
type Inbound struct {
	// Addr is where a person connects to.
	Addr netip.AddrPort
	file *os.File
}

// NewInbound listens on a free port of 127.0.0.1. Nobody answers while no job runs.
func NewInbound() (*Inbound, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for ssh: %w", err)
	}
	defer l.Close()
	file, err := l.(*net.TCPListener).File()
	if err != nil {
		return nil, fmt.Errorf("listen for ssh: %w", err)
	}
	return &Inbound{netip.MustParseAddrPort(l.Addr().String()), file}, nil
}

// Close gives the port back.
func (i *Inbound) Close() error { return i.file.Close() }

// relay passes on what connects to the socket in file to an address, until ctx ends.
func relay(ctx context.Context, file *os.File, to string) error {
	defer file.Close()
	l, err := net.FileListener(file)
	if err != nil {
		return fmt.Errorf("listen for ssh: %w", err)
	}
	dial := func() (net.Conn, error) { return (&net.Dialer{}).DialContext(ctx, "tcp", to) }
	pass(ctx, l, dial)
	return nil
}

// pass passes on what connects to a listener, until ctx ends.
func pass(ctx context.Context, l net.Listener, dial func() (net.Conn, error)) {
	context.AfterFunc(ctx, func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go connect(conn, dial)
		}
	}()
}

// connect passes on what each of the two ends says, until one of them has said all.
func connect(conn net.Conn, dial func() (net.Conn, error)) {
	defer conn.Close()
	far, err := dial()
	if err != nil {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // a connection that is reset is not an answer
		}
		return
	}
	defer far.Close()
	ended := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{conn, far}, {far, conn}} {
		go func() {
			// That an end is gone is not a fault.
			_, _ = io.Copy(way[1], way[0])
			ended <- struct{}{}
		}()
	}
	<-ended
}
