package cli

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/treetest"
	"github.com/treewright/treewright/builder/vm"
)

// TestStoppedTestIsInTheResults: of a test that was stopped, the file does not say that
// all is well; the last line counts what was tested.
func TestStoppedTestIsInTheResults(t *testing.T) {
	o := &testOptions{junit: filepath.Join(t.TempDir(), "results.xml")}
	said, err := os.Create(filepath.Join(t.TempDir(), "said"))
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	c := &command{Out: streamOn(said)}
	r := &vm.Report{Suite: "small", Out: io.Discard}
	if err := o.begin(r); err != nil {
		t.Fatal(err)
	}
	r.Add(vm.Result{Group: "base", Name: "boot", Outcome: vm.Passed})
	if err := o.finish(c, r, 0, errors.New("stopped by a signal")); err != nil {
		t.Errorf("no test failed: %v", err)
	}
	if last := treetest.Content(t, said.Name()); !strings.Contains(last, "small: 1 passed, 0 failed, 0 skipped") {
		t.Errorf("the last line is %q", last)
	}
	text := treetest.Content(t, o.junit)
	for _, want := range []string{`tests="2" failures="1"`, `name="stopped"`, `message="stopped by a signal"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the results lack %s:\n%s", want, text)
		}
	}
}
