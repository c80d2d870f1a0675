package reapi

import (
	"errors"
	"sync"
	"time"

	"google.golang.org/grpc"
)

// mostWaiting is the number of Actions that are waited for on one connection. Each can have three streams, with its logs, and many
// servers and proxies allow 100 streams.
const mostWaiting = 32

// lanes are the connections on which Actions are waited for. Other calls have another connection, so that they always get a
// stream.
type lanes struct {
	*client
	mu  sync.Mutex
	all []*lane
}

type lane struct {
	conn    *grpc.ClientConn
	waiting int
}

// enter returns a connection, and a function that ends the use of it.
func (l *lanes) enter() (*grpc.ClientConn, func(), error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var free *lane
	for _, one := range l.all {
		if one.waiting < mostWaiting {
			free = one
			break
		}
	}
	if free == nil {
		conn, err := l.dial()
		if err != nil {
			return nil, nil, err
		}
		free = &lane{conn: conn}
		l.all = append(l.all, free)
	}
	free.waiting++
	return free.conn, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		free.waiting--
	}, nil
}

// used returns the connections on which Actions are waited for now.
func (l *lanes) used() (conns []*grpc.ClientConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, one := range l.all {
		if one.waiting > 0 {
			conns = append(conns, one.conn)
		}
	}
	return conns
}

// beat makes a small call from time to time on each connection that is used. It makes the server send something: see openExecution.
func (l *lanes) beat() {
	for every := time.NewTicker(l.limits.beat); ; {
		select {
		case <-l.lifetime.Done():
			every.Stop()
			return
		case <-every.C:
			for _, conn := range l.used() {
				go l.askAbilities(l.lifetime, conn) // an error does not matter: keepalive notices the end of a connection
			}
		}
	}
}

func (l *lanes) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	for _, one := range l.all {
		errs = append(errs, one.conn.Close())
	}
	return errors.Join(errs...)
}
