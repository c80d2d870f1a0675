package cli

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// TestTableFits: what does not fit beside goes below, and nothing is lost.
func TestTableFits(t *testing.T) {
	table := table{head: []string{"STEP", "KEY", "AFTER", "REASON"}, below: []string{"AFTER", "REASON", "KEY"}}
	table.add("rootfs/base", "0123456789ab", "-", "never built here")
	table.add("rootfs/exec.config/base", "ba9876543210", "rootfs/base rootfs/files/base rootfs/install", "source features/base changed")
	for width, want := range map[int]string{
		0: `STEP                     KEY           AFTER                                         REASON
rootfs/base              0123456789ab  -                                             never built here
rootfs/exec.config/base  ba9876543210  rootfs/base rootfs/files/base rootfs/install  source features/base changed
`,
		80: `STEP                     KEY           REASON
rootfs/base              0123456789ab  never built here
rootfs/exec.config/base  ba9876543210  source features/base changed
    after: rootfs/base rootfs/files/base rootfs/install
`,
		40: `STEP                     KEY
rootfs/base              0123456789ab
    reason: never built here
rootfs/exec.config/base  ba9876543210
    after: rootfs/base
        rootfs/files/base rootfs/install
    reason: source features/base
        changed
`,
		30: `STEP
rootfs/base
    key: 0123456789ab
    reason: never built
        here
rootfs/exec.config/base
    key: ba9876543210
    after: rootfs/base
        rootfs/files/base
        rootfs/install
    reason: source
        features/base changed
`,
	} {
		var b strings.Builder
		if err := table.write(&b, width); err != nil {
			t.Fatal(err)
		}
		if b.String() != want {
			t.Errorf("width %d:\n%swant\n%s", width, b.String(), want)
		}
		for line := range strings.Lines(want) {
			if width > 0 && utf8.RuneCountInString(strings.TrimSpace(line)) > width {
				t.Errorf("width %d: the line is longer: %s", width, line)
			}
		}
	}
}
