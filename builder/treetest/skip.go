package treetest

import (
	"os"
	"testing"
)

// AllTests is the variable that makes [Skip] a failure: CI sets it, so that a
// machine that lacks something does not look like one on which all tests pass.
const AllTests = "TREEWRIGHT_ALL_TESTS"

// Skip skips a test that needs what is missing here, and says what that is:
// "needs root: it mounts overlays".
func Skip(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv(AllTests) != "" {
		t.Fatalf(format+" ("+AllTests+" is set)", args...)
	}
	t.Skipf(format, args...)
}
