package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"
)

const (
	// stall is how long a client may take for a chunk of a response.
	stall = time.Minute
	chunk = 1 << 20
	// farewell is how long running responses may take once the server is to
	// stop: whoever stopped it is waiting.
	farewell = time.Second
)

// Serve answers requests on the TCP address listen ("127.0.0.1:8080"; port 0
// takes a free one) until ctx ends, and then returns nil. Responses that are
// under way then have one second. ready, if not nil, is called with the
// address once connections are accepted.
func Serve(ctx context.Context, listen string, h http.Handler, ready func(addr string)) error {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", listen)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("serving on %s: another program uses this address; stop it or choose another port: %w", listen, err)
	case err != nil && ctx.Err() != nil:
		return nil
	case err != nil:
		return fmt.Errorf("serving on %s: %w", listen, err)
	}
	server := &http.Server{
		Handler:           patient(h),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      stall, // renewed by patient
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

// patient lets a response take as long as it needs while the client keeps
// reading: the server's own write timeout is for the whole of a response, and
// an image over a slow line takes longer than any.
func patient(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(&patientWriter{w, http.NewResponseController(w)}, r)
	})
}

type patientWriter struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (w *patientWriter) renew() error { return w.control.SetWriteDeadline(time.Now().Add(stall)) }

func (w *patientWriter) Write(p []byte) (int, error) {
	if err := w.renew(); err != nil {
		return 0, err
	}
	return w.ResponseWriter.Write(p)
}

// ReadFrom keeps the way open for sendfile(2), which net/http uses when it
// sees a limited reader of a file, and of nothing deeper.
func (w *patientWriter) ReadFrom(src io.Reader) (int64, error) {
	limited, ok := src.(*io.LimitedReader)
	if !ok {
		limited = &io.LimitedReader{R: src, N: 1<<63 - 1}
	}
	var total int64
	for limited.N > 0 {
		if err := w.renew(); err != nil {
			return total, err
		}
		want := min(limited.N, chunk)
		n, err := io.CopyN(w.ResponseWriter, limited.R, want)
		total += n
		limited.N -= n
		if err == io.EOF {
			break
		}
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// Unwrap is for [http.ResponseController].
func (w *patientWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
