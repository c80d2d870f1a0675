package vm

import (
	"fmt"
	"regexp"
	"strings"
)

// deployment is a line of `ostree admin status`.
type deployment struct {
	commit string
	booted bool
}

var deploymentLine = regexp.MustCompile(`^([* ]) [^ ]+ ([0-9a-f]{64})\.[0-9]+(?: \([a-z-]+\))*$`)

// parseDeployments reads what `ostree admin status` says, in its order: what
// boots next comes first.
func parseDeployments(status string) []deployment {
	var all []deployment
	for line := range strings.Lines(status) {
		f := deploymentLine.FindStringSubmatch(strings.TrimRight(line, "\n"))
		if f == nil {
			continue
		}
		all = append(all, deployment{commit: f[2], booted: f[1] == "*"})
	}
	return all
}

// expectDeployments compares with the commits expected, in order, of which the
// one at booted runs.
func expectDeployments(status string, booted int, commits ...string) error {
	all := parseDeployments(status)
	ok := len(all) == len(commits)
	for i := range all {
		ok = ok && all[i].commit == commits[i] && all[i].booted == (i == booted)
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
