package serve

import (
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// patience cuts clients that take nothing, and those only. The server's own
// write timeout is for a whole response, and an image over a slow line takes
// longer than any; a timeout for a piece of it asks for a speed. So the kernel is
// asked what the client's has acknowledged: while that grows, the connection
// lives, be it by a byte a minute.
type patience struct {
	// stall is how long a client may take nothing.
	stall time.Duration

	mu    sync.Mutex
	ended map[net.Conn]chan struct{}
}

// track is for [http.Server.ConnState]: a connection is watched from the first
// byte of a request until all of the response has been handed to the kernel.
func (p *patience) track(conn net.Conn, state http.ConnState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if ended := p.ended[conn]; ended != nil {
		close(ended)
		delete(p.ended, conn)
	}
	tcp, ok := conn.(*net.TCPConn)
	if state != http.StateActive || !ok {
		return
	}
	if p.ended == nil {
		p.ended = map[net.Conn]chan struct{}{}
	}
	ended := make(chan struct{})
	p.ended[conn] = ended
	go p.watch(tcp, ended)
}

// watch moves the connection's write deadline on, as long as there is progress.
func (p *patience) watch(conn *net.TCPConn, ended chan struct{}) {
	tick := time.NewTicker(p.stall / 8)
	defer tick.Stop()
	w := watched{last: time.Now()}
	for p.extend(conn, ended, w.last.Add(p.stall)) {
		select {
		case <-ended:
			return
		case now := <-tick.C:
			if info, err := tcpInfo(conn); err == nil {
				w.look(now, info)
			}
		}
	}
}

// extend sets a write deadline, which works also while a write, or sendfile(2),
// waits. It refuses if the response has ended: another watch may have begun.
func (p *patience) extend(conn *net.TCPConn, ended chan struct{}, deadline time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ended[conn] == ended && conn.SetWriteDeadline(deadline) == nil
}

// watched is what is known of the progress of a connection.
type watched struct {
	acked uint64
	last  time.Time // when there was any
}

// look takes in the state of a connection. That nothing waits to be taken is not a
// fault of the client's: the disk may be slow.
func (w *watched) look(now time.Time, info *unix.TCPInfo) {
	if info.Bytes_acked != w.acked || info.Unacked == 0 && info.Notsent_bytes == 0 {
		w.acked, w.last = info.Bytes_acked, now
	}
}

func tcpInfo(conn *net.TCPConn) (info *unix.TCPInfo, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	if cerr := raw.Control(func(fd uintptr) {
		info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	}); cerr != nil {
		return nil, cerr
	}
	return info, err
}
