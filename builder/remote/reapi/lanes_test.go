package reapi

import (
	"context"
	"fmt"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/treewright/treewright/builder/remote"
)

// TestManyWait: many Actions can wait at the same time, although the server allows few streams on a connection. Other calls do not wait
// for them, and later Actions use the same connections.
func TestManyWait(t *testing.T) {
	const many = 3*mostWaiting + 1
	w := newWorker()
	w.turns = repeat(many, func(x *execution) error {
		for start := time.Now(); x.count("Execute") < many && time.Since(start) < 20*time.Second; {
			time.Sleep(time.Millisecond)
		}
		return carryOut(x)
	})
	e, err := openExecution(remote.Access{URL: "grpc://" + w.start(t, grpc.MaxConcurrentStreams(mostWaiting+8)) + "/some/instance"}, eager)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	ctx, end := context.WithTimeout(t.Context(), 15*time.Second)
	defer end()
	err = remote.Each(ctx, many, many, func(ctx context.Context, i int) error {
		a := simple()
		a.Arguments = append(a.Arguments, fmt.Sprint(i))
		_, err := e.Run(ctx, a)
		return err
	})
	if err != nil {
		t.Error(err)
	}
	check(t, e)
	if len(e.lanes.all) != 4 || len(e.lanes.used()) != 0 {
		t.Errorf("%d connections, %d are used", len(e.lanes.all), len(e.lanes.used()))
	}
}
