package cli

import "testing"

// TestTold: texts have the name with which the program was called, and paths do not change.
func TestTold(t *testing.T) {
	t.Setenv(calledAs, "")
	for text, want := range map[string]string{
		"`./build check` and ./build.":     "`treewright check` and treewright.",
		"./build ./build help":             "treewright treewright help",
		"the text of ./build":              "the text of treewright",
		"go build ./builder/cmd":           "go build ./builder/cmd",
		"read ../build: it is a directory": "read ../build: it is a directory",
		"/tree/./build/x ./build-x":        "/tree/./build/x ./build-x",
		"./build.sh ./build's":             "./build.sh treewright's",
	} {
		if got := (&command{}).told(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
