package vm

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Deployment is a line of `ostree admin status`.
type Deployment struct {
	Stateroot, Commit string
	Serial            int
	Booted            bool
	// State is "", "rollback", "pending" or "staged".
	State string
}

var deploymentLine = regexp.MustCompile(`^([* ]) ([^ ]+) ([0-9a-f]{64})\.([0-9]+)(?: \(([a-z]+)\))?$`)

// parseDeployments reads what `ostree admin status` says, in its order: what
// boots next comes first.
func parseDeployments(status string) []Deployment {
	var all []Deployment
	for line := range strings.Lines(status) {
		f := deploymentLine.FindStringSubmatch(strings.TrimRight(line, "\n"))
		if f == nil {
			continue
		}
		serial, err := strconv.Atoi(f[4])
		if err != nil {
			continue
		}
		all = append(all, Deployment{Stateroot: f[2], Commit: f[3], Serial: serial, Booted: f[1] == "*", State: f[5]})
	}
	return all
}

// expectDeployments compares with the commits expected, in order, of which the
// one at booted runs.
func expectDeployments(status string, booted int, commits ...string) error {
	all := parseDeployments(status)
	ok := len(all) == len(commits)
	for i := range all {
		ok = ok && all[i].Commit == commits[i] && all[i].Booted == (i == booted)
	}
	if ok {
		return nil
	}
	var want strings.Builder
	for i, c := range commits {
		mark := " "
		if i == booted {
			mark = "*"
		}
		fmt.Fprintf(&want, "%s %.12s\n", mark, c)
	}
	return fmt.Errorf("ostree admin status is not as expected; want\n%sgot\n%s", want.String(), status)
}
