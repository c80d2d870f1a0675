package imagetool

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Fault is what is wrong with one line of an input.
type Fault struct {
	// Line counts from 1; 0 is for what concerns the whole.
	Line int
	// Text is the line, Message what is wrong with it.
	Text, Message string
}

func (f Fault) String() string {
	if f.Line == 0 {
		return f.Message
	}
	return fmt.Sprintf("line %d: %s: %s", f.Line, f.Message, f.Text)
}

// FaultsError is everything that is wrong with an input.
type FaultsError struct {
	// Input describes what it is: "fstab".
	Input  string
	Faults []Fault
}

// Error has one line for each fault.
func (e *FaultsError) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = e.Input + ": " + f.String()
	}
	return strings.Join(lines, "\n")
}

func (e *FaultsError) add(line int, text, format string, args ...any) {
	e.Faults = append(e.Faults, Fault{line, strings.TrimSpace(text), fmt.Sprintf(format, args...)})
}

// result is the error, with the faults in the order of the lines, or nil if
// there are none.
func (e *FaultsError) result() error {
	if len(e.Faults) == 0 {
		return nil
	}
	slices.SortStableFunc(e.Faults, func(a, b Fault) int { return cmp.Compare(a.Line, b.Line) })
	return e
}
