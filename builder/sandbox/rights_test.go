package sandbox

import (
	"slices"
	"strings"
	"testing"
)

// TestLacking: what root in a container does not have is named.
func TestLacking(t *testing.T) {
	for status, want := range map[string]string{
		"Name:\tx\nCapEff:\t000001ffffffffff\n":                  "",
		"CapEff:\t00000000a80425fb\nCapBnd:\t00000000a80425fb\n": "CAP_SYS_ADMIN", // docker run
		"CapEff:\t0000000000000000\n":                            "CAP_SYS_ADMIN CAP_SETPCAP CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_FSETID CAP_KILL CAP_SETGID CAP_SETUID CAP_SETFCAP CAP_SYS_CHROOT CAP_MKNOD",
		"Name:\tx\n":                                             "",
	} {
		if got := strings.Join(lacking(status), " "); got != want {
			t.Errorf("%q lacks %q, want %q", status, got, want)
		}
	}
	for _, p := range slices.Concat(stepPowers, viewPowers, installPowers) {
		if rightNames[p] == "" {
			t.Errorf("the capability %d has no name", p)
		}
	}
}
