package diag

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/hashicorp/hcl/v2"
)

// A step that goes on after a fault reports all of them, also through its process's report.
func TestFindings(t *testing.T) {
	at := func(line int) hcl.Range { return hcl.Range{Filename: "a.hcl", Start: hcl.Pos{Line: line}} }
	cause, other := errors.New("exit status 1"), errors.New("disk full")
	var f Findings
	if err := errors.Join(f.Add(nil), f.Err()); err != nil {
		t.Fatalf("nothing was found, and the error is %v", err)
	}
	for _, err := range []error{
		fmt.Errorf("step: %w", Foundf(at(3), "Unknown unit", "There is no unit %q.", "x")), Foundf(at(7), "Unit that cannot be set", "It cannot be set: %w", cause),
	} {
		if err := f.Add(err); err != nil {
			t.Errorf("%v ends the step", err)
		}
	}
	if err := f.Add(other); err != other {
		t.Errorf("a full disk is %v", err)
	}
	raw, err := json.Marshal(f.Err())
	if err != nil {
		t.Fatal(err)
	}
	var read *Found
	if err := json.Unmarshal(raw, &read); err != nil {
		t.Fatal(err)
	}
	list := read.Faults(nil).List
	if len(list) != 2 || list[0].Subject.Start.Line != 3 || list[1].Subject.Start.Line != 7 || list[1].Detail != "It cannot be set: exit status 1" {
		t.Errorf("%+v", list)
	}
	if want := "a.hcl:3: There is no unit \"x\".\na.hcl:7: It cannot be set: exit status 1"; read.Error() != want {
		t.Errorf("the error is %q, not %q", read, want)
	}
}
