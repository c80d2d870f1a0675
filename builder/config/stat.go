package config

import (
	"regexp"
	"strconv"
	"strings"
)

// symbolicMode is what chmod takes besides a plain number (GNU coreutils,
// "Symbolic modes" and "Operator numeric modes").
var symbolicMode = regexp.MustCompile(`^[ugoa]*([-+=]([rwxXst]*|[ugo]|[0-7]+))+(,[ugoa]*([-+=]([rwxXst]*|[ugo]|[0-7]+))+)*$`)

// checkStat finds lines of file.include.stat that chown, chmod or the search for
// files would stumble over. Whether an account is there only the tree can tell.
func (l *loader) checkStat(lines []Line) {
	for _, line := range lines {
		fields := strings.Fields(line.Text)
		if len(fields) < 4 {
			l.say(Fault(line.Range, "Invalid line", "%q has to be USER GROUP MODE PATTERN..., as in: root root 0644 /etc/x.conf", line.Text))
			continue
		}
		if problem := modeProblem(fields[2]); problem != "" {
			l.say(Fault(line.Range, "Invalid mode", "%q %s", fields[2], problem))
		}
		for _, pattern := range fields[3:] {
			if !strings.HasPrefix(pattern, "/") {
				l.say(Fault(line.Range, "Invalid pattern", "%q has to begin with /: it is a path in the tree.", pattern))
			}
		}
	}
}

// modeProblem describes what is wrong with a mode, as the end of a sentence.
func modeProblem(mode string) string {
	if n, err := strconv.ParseUint(mode, 8, 32); err == nil && n <= 0o7777 || symbolicMode.MatchString(mode) {
		return ""
	}
	return "is not a mode: an octal number up to 7777, or what chmod takes, as u=rw,go=r."
}
