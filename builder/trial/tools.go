package trial

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/event"
)

// qemuLayers makes the tree with QEMU, as far as it is missing, and returns its
// layers. It is of the flavour's own suite; a tree's archive may have no
// QEMU, and then it is of Debian's.
func qemuLayers(ctx context.Context, b *build.Builder, s *build.Subject, sink event.Sink) ([]string, error) {
	layers, err := b.MachineTools(ctx, s, nil, sink)
	var unknown *distro.UnknownError
	d := s.MachineTools
	if d == nil || !errors.As(err, &unknown) {
		return layers, err
	}
	sink.Emit(event.Event{Time: time.Now(), Kind: event.Note, Line: fmt.Sprintf("%v; QEMU comes from %s %s", err, d.Mirror, d.Suite)})
	return b.MachineTools(ctx, s, d, sink)
}
