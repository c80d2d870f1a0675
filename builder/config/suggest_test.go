package config

import "testing"

func TestSuggestTypo(t *testing.T) {
	known := []string{"podman", "ssed", "python3-simpleeval", "systemd-resolved"}
	for name, want := range map[string]string{
		"podmna": "podman", "sssd": "", "python3-pysimplesoap": "", "systmd-reslved": "systemd-resolved", "systemd-resolvd": "systemd-resolved", "x": "",
	} {
		if got := SuggestTypo(name, known); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
