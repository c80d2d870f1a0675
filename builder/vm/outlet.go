package vm

import (
	"context"
	"fmt"
	"net"
)

// Outlet leads from a port in a job's network to a server that listens on a socket in [Job.Shared]. Without a server, connections
// are reset.
type Outlet struct {
	Listen string `json:"listen"`
	Socket string `json:"socket"`
}

// open listens until ctx ends.
func (o Outlet) open(ctx context.Context, shared string) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return fmt.Errorf("listen for %s: %w", o.Socket, err)
	}
	pass(ctx, l, func() (net.Conn, error) { return dialIn(shared, o.Socket) })
	return nil
}
