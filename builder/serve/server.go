package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"
)

const (
	// stall is how long a client may take nothing: lines of trains and telephones
	// come back after some minutes.
	stall = 5 * time.Minute
	// farewell is how long running responses may take once the server is to
	// stop: the user who stopped it is waiting.
	farewell = time.Second
)

// Serve answers requests on the TCP address listen ("127.0.0.1:8080"; port 0
// takes a free one) until ctx ends, and then returns nil. Responses that are
// under way then have one second. ready, if not nil, is called with the
// address once connections are accepted.
func Serve(ctx context.Context, listen string, h http.Handler, ready func(addr string)) error {
	err := serve(ctx, listen, h, stall, ready)
	if errors.Is(err, syscall.EADDRINUSE) && answers(ctx, listen) {
		return &TakenError{listen, err}
	}
	return err
}

// TakenError reports that a server like this one serves on an address already.
type TakenError struct {
	Addr string
	err  error
}

// Error implements error.
func (e *TakenError) Error() string { return e.err.Error() }

// Unwrap returns the fault that the address is in use.
func (e *TakenError) Unwrap() error { return e.err }

// listenError says in plain words why nothing can be served on an address.
type listenError struct {
	addr, why string
	err       error
}

// Error implements error.
func (e *listenError) Error() string { return "serving on " + e.addr + ": " + e.why }

// Unwrap returns the fault of the system.
func (e *listenError) Unwrap() error { return e.err }

// answers reports whether a server like this one answers on an address.
func answers(ctx context.Context, addr string) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/index.json", nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	var index struct {
		Flavours json.RawMessage `json:"flavours"`
	}
	return resp.StatusCode == http.StatusOK && json.NewDecoder(resp.Body).Decode(&index) == nil && index.Flavours != nil
}

func serve(ctx context.Context, listen string, h http.Handler, stall time.Duration, ready func(addr string)) error {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", listen)
	var unknown *net.DNSError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return &listenError{listen, "another program uses this address; stop that program or choose another port", err}
	case err != nil && ctx.Err() != nil:
		return nil
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return &listenError{listen, "this machine does not have this address; without one, as in :8080, all that it has are served", err}
	case errors.Is(err, syscall.EACCES):
		return &listenError{listen, "only root can use a port this low", err}
	case errors.As(err, &unknown):
		return &listenError{listen, fmt.Sprintf("%q is neither an address nor the name of a host", unknown.Name), err}
	case err != nil:
		return fmt.Errorf("serving on %s: %w", listen, err)
	}
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		ConnState:         (&patience{stall: stall}).track, // in place of a WriteTimeout
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    1 << 16,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	if ready != nil {
		ready(listener.Addr().String())
	}
	select {
	case err := <-served:
		return fmt.Errorf("serving on %s: %w", listen, err)
	case <-ctx.Done():
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	if err := server.Shutdown(limit); err != nil {
		server.Close()
	}
	<-served
	return nil
}
