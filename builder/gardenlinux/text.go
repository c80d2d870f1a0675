package gardenlinux

import (
	"errors"
	"fmt"
	"strings"

	"github.com/treewright/treewright/builder/diag"
)

// quoted is %q for text from outside, of which messages need not hold much.
func quoted(s string) string {
	const most = 100
	if len(s) > most {
		return fmt.Sprintf("%q...", s[:most])
	}
	return fmt.Sprintf("%q", s)
}

// oneLine is an error for an answer: of diagnostics, what they explain.
func oneLine(err error) string {
	var conf *diag.Faults
	if !errors.As(err, &conf) {
		return err.Error()
	}
	var all []string
	for _, d := range conf.List {
		all = append(all, d.Detail)
	}
	return strings.Join(all, " ")
}
