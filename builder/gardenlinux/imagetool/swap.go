package imagetool

import (
	"context"
	"fmt"
)

// Swap is a swap area to be made in a file.
type Swap struct {
	Tools
	// Target is the file, which exists and has the size of the area. It is
	// absolute.
	Target string
	// HashPrefix is what the UUID, unless it is given, is derived from.
	HashPrefix  string
	UUID, Label string
}

// Make makes the swap area with mkswap(8), for pages of 4096 bytes: it would
// take this machine's.
func (s Swap) Make(ctx context.Context) error {
	uuid := s.UUID
	if uuid == "" {
		uuid = uuidOf(s.HashPrefix + ":uuid")
	}
	argv := []string{"mkswap", "-p", "4096", "-U", uuid}
	if s.Label != "" {
		argv = append(argv, "-L", s.Label)
	}
	if err := s.run(ctx, 0, append(argv, s.Target)...); err != nil {
		return fmt.Errorf("make swap: %w", err)
	}
	return nil
}
