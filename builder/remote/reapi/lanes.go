package reapi

import (
	"errors"
	"sync"
	"time"

	"google.golang.org/grpc"
)

// mostWaiting is the largest number of Actions on one connection. An Action can have three streams, and two of them are for its logs.
// Many servers and proxies allow 100 streams on a connection.
const mostWaiting = 32

// lanes are the connections for the streams of Actions. Other calls use another connection, and always get a stream there.
type lanes struct {
	*client
	mu  sync.Mutex
	all []*lane
}

type lane struct {
	conn    *grpc.ClientConn
	waiting int // the number of Actions that use the connection
}

// enter returns a connection for an Action, and a function that releases the connection.
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

// used returns the connections that have Actions now.
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

// beat makes a small call at regular times on each connection in use. The answers show that the server works: see openExecution.
func (l *lanes) beat() {
	for every := time.NewTicker(l.limits.beat); ; {
		select {
		case <-l.lifetime.Done():
			every.Stop()
			return
		case <-every.C:
			for _, conn := range l.used() {
				go l.askAbilities(l.lifetime, conn) // errors are ignored: keepalive detects the end of a connection
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
