package vm

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"time"
)

// waitSSH waits until an ssh server answers. QEMU accepts connections long
// before the guest does, so it is its greeting that counts (RFC 4253 4.2).
func waitSSH(ctx context.Context, addr string) error {
	// QEMU accepts a connection to a guest whose network is gone for a while, and such a one
	// is answered long after the guest is back: so the first tries are short.
	for patience := 2 * time.Second; ; patience = min(patience+time.Second, 10*time.Second) {
		if greets(ctx, addr, patience) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the machine's ssh server: %w", context.Cause(ctx))
		case <-time.After(500 * time.Millisecond):
		}
	}
}

func greets(ctx context.Context, addr string, patience time.Duration) bool {
	dialer := net.Dialer{Timeout: 2 * time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return false
	}
	defer conn.Close()
	if conn.SetDeadline(time.Now().Add(patience)) != nil {
		return false
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	return err == nil && strings.HasPrefix(line, "SSH-2.0-")
}
