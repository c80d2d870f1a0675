package serve

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// raw sends a request as it is and returns the status line and the rest.
func raw(t *testing.T, addr, request string) (status, body string) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	status, body, _ = strings.Cut(string(all), "\r\n")
	return status, body
}

// start serves until the test ends, or until stop is called, which waits.
func start(t testing.TB, h http.Handler) (addr string, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- Serve(ctx, "127.0.0.1:0", h, func(addr string) { ready <- addr }) }()
	stop = func() error {
		cancel()
		return <-ended
	}
	select {
	case addr = <-ready:
	case err := <-ended:
		t.Fatal(err)
	}
	return addr, stop
}

func TestServe(t *testing.T) {
	root := fixture(t)
	// Larger than what is copied at once, and not a multiple of it.
	big := strings.Repeat("0123456789abcde\n", 3<<20/16) + "end"
	write(t, filepath.Join(root, "a/big.raw"), big)
	writeManifest(t, root, "a", artifact{Name: "big.raw", Kind: "file", Size: int64(len(big)), SHA256: sum(big)})
	h, _ := newHandler(t, root, "a")
	addr, stop := start(t, h)
	for _, c := range []struct{ header, want string }{{"", big}, {"bytes=5-1500000", big[5:1500001]}} {
		r, err := http.NewRequest("GET", "http://"+addr+"/big.raw", nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.header != "" {
			r.Header.Set("Range", c.header)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || string(body) != c.want || response.ContentLength != int64(len(c.want)) {
			t.Errorf("range %q: %d bytes, %v", c.header, len(body), err)
		}
	}
	response, err := http.Get("http://" + addr + "/")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != 200 {
		t.Error(response.Status)
	}
	if err := stop(); err != nil {
		t.Errorf("stopped: %v", err)
	}
	if _, err := net.Dial("tcp", addr); err == nil {
		t.Error("the address is still served")
	}
}

func TestServeStopsSoon(t *testing.T) {
	entered := make(chan bool)
	release := make(chan bool)
	addr, stop := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		entered <- true
		<-release
	}))
	go func() {
		if response, err := http.Get("http://" + addr); err == nil {
			response.Body.Close()
		}
	}()
	<-entered
	began := time.Now()
	if err := stop(); err != nil {
		t.Error(err)
	}
	if d := time.Since(began); d > farewell+time.Second {
		t.Errorf("it took %v", d)
	}
	close(release)
}

func TestServeAddressInUse(t *testing.T) {
	h, _ := newHandler(t, fixture(t))
	addr, _ := start(t, h)
	err := Serve(t.Context(), addr, h, func(string) { t.Error("called ready") })
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), addr+": another program uses this address") {
		t.Errorf("got %v", err)
	}
	if err := Serve(t.Context(), "no-port", h, nil); err == nil || !strings.Contains(err.Error(), "serving on no-port: ") {
		t.Errorf("got %v", err)
	}
}

// TestTakenByOneOfOurs: who finds the address in use is told whether a server like
// this one has it.
func TestTakenByOneOfOurs(t *testing.T) {
	for index, ours := range map[string]bool{`{"flavours": []}`: true, `{"news": []}`: false, "hello": false} {
		other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/index.json" {
				_, _ = w.Write([]byte(index))
			}
		}))
		addr := strings.TrimPrefix(other.URL, "http://")
		err := Serve(t.Context(), addr, http.NotFoundHandler(), nil)
		other.Close()
		var taken *TakenError
		if !errors.Is(err, syscall.EADDRINUSE) || errors.As(err, &taken) != ours || ours && taken.Addr != addr {
			t.Errorf("beside a server that says %s: %v", index, err)
		}
	}
}
