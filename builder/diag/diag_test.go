package diag

import (
	"errors"
	"fmt"
	"testing"
)

// TestOnlyEnded: what is to be said is never kept back for the sake of an exit status.
func TestOnlyEnded(t *testing.T) {
	ended, other := &Ended{Status: 3}, errors.New("other")
	for _, c := range []struct {
		err    error
		status int
		only   bool
	}{
		{ended, 3, true}, {errors.Join(nil, ended), 3, true}, {errors.Join(ended, errors.Join(ended)), 3, true},
		{other, 0, false}, {errors.Join(ended, other), 0, false}, {errors.Join(other, ended), 0, false}, {fmt.Errorf("disk: %w", ended), 0, false},
	} {
		if status, only := OnlyEnded(c.err); status != c.status || only != c.only {
			t.Errorf("%v: got %d, %v", c.err, status, only)
		}
	}
}
