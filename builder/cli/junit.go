package cli

import (
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/treewright/treewright/builder/vm"
)

// begin says, before anything is built, that the JUnit file cannot be written. Results of
// an earlier test are removed from it, so that nobody takes them for this one's.
func (o *testOptions) begin(r *vm.Report) error {
	if o.junit == "" {
		return nil
	}
	r.Began = time.Now()
	r.Property("treewright", number)
	r.Property("host", runtime.GOOS+"/"+runtime.GOARCH)
	if o.Upgrade {
		r.Property("upgrade", "true")
	}
	if o.Packages {
		r.Property("packages", "true")
	}
	f, err := os.OpenFile(o.junit, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o666)
	if err != nil {
		return usagef("the results cannot be written: %v", err)
	}
	return f.Close()
}

// notTested writes to the JUnit file why there is nothing to test.
func (o *testOptions) notTested(r *vm.Report, why error) error {
	r.Results = append(r.Results, vm.Result{Group: "machine", Name: "build", Outcome: vm.Failed, Duration: time.Since(r.Began), Text: fmt.Sprint(why)})
	return o.save(r)
}

// save writes the JUnit file.
func (o *testOptions) save(r *vm.Report) error {
	if o.junit == "" {
		return nil
	}
	return r.SaveJUnit(o.junit)
}
