package serve

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// begun serves a large file with a short stall to a client with a small
// receive buffer, which has asked for it. done is closed when the server is
// through with the response, or has given up.
func begun(t *testing.T, stall time.Duration) (client net.Conn, done <-chan struct{}) {
	t.Helper()
	const size = 256 << 20
	root := t.TempDir()
	name := filepath.Join(root, "a/big.raw")
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(name, size); err != nil {
		t.Fatal(err)
	}
	writeManifest(t, root, "a", artifact{Name: "big.raw", Kind: "file", Size: size})
	h, _ := newHandler(t, root)
	ended, ready := make(chan struct{}), make(chan string, 1)
	go serve(t.Context(), "127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		h.ServeHTTP(w, r)
	}), stall, func(addr string) { ready <- addr })
	dialer := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 4096) })
	}}
	client, err := dialer.Dial("tcp", <-ready)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	if _, err := io.WriteString(client, "GET /big.raw HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	return client, ended
}

// TestSlowClient: some 20 kB a second for four times as long as a client may
// take nothing.
func TestSlowClient(t *testing.T) {
	t.Parallel()
	const stall = 2 * time.Second
	client, done := begun(t, stall)
	buffer := make([]byte, 1000)
	for began := time.Now(); time.Since(began) < 4*stall; time.Sleep(50 * time.Millisecond) {
		if _, err := io.ReadFull(client, buffer); err != nil {
			t.Fatalf("cut after %v: %v", time.Since(began), err)
		}
		select {
		case <-done:
			t.Fatalf("the server gave up after %v", time.Since(began))
		default:
		}
	}
}

func TestClientThatTakesNothing(t *testing.T) {
	_, done := begun(t, 300*time.Millisecond)
	<-done
}

// TestNextRequestIsWatched: a connection that was idle for longer than a
// client may take nothing.
func TestNextRequestIsWatched(t *testing.T) {
	// A busy machine has to answer and to read within it.
	const stall = 2 * time.Second
	ready := make(chan string, 1)
	large := bytes.Repeat([]byte("x"), 1<<20)
	go serve(t.Context(), "127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write(large)
	}), stall, func(addr string) { ready <- addr })
	addr := <-ready
	conns := 0
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		conns++
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}}}
	for i := range 2 {
		if i > 0 {
			time.Sleep(stall + stall/2)
		}
		response, err := client.Get("http://" + addr)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, response.Body); n != int64(len(large)) || err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
		response.Body.Close()
	}
	if conns != 1 {
		t.Errorf("%d connections", conns)
	}
}

// TestProgress: what counts as taking something.
func TestProgress(t *testing.T) {
	start := time.Now()
	w := watched{last: start}
	for i, step := range []struct {
		info     unix.TCPInfo
		progress bool
	}{
		{unix.TCPInfo{Bytes_acked: 1, Unacked: 1, Notsent_bytes: 9}, true},
		{unix.TCPInfo{Bytes_acked: 1, Unacked: 1, Notsent_bytes: 99}, false},
		{unix.TCPInfo{Bytes_acked: 2, Unacked: 1, Notsent_bytes: 99}, true},
		{unix.TCPInfo{Bytes_acked: 2, Notsent_bytes: 99}, false}, // its window is closed
		{unix.TCPInfo{Bytes_acked: 2}, true},                     // it waits for us
	} {
		now := start.Add(time.Duration(i+1) * time.Second)
		if w.look(now, &step.info); w.last.Equal(now) != step.progress {
			t.Errorf("step %d: the last progress was at %v", i+1, w.last.Sub(start))
		}
	}
}
