package image

import (
	"strings"
	"testing"
)

func TestHealthConfig(t *testing.T) {
	if got := healthConfig(0); got != "" {
		t.Errorf("no tries give %q", got)
	}
	want := `load_env --file ($root)/boot/grubenv boot_tries
if [ "${boot_tries}" = "xx" -o "${boot_tries}" = "fallback" ]; then
  set default=1
  set boot_tries=fallback
else
  set boot_tries="${boot_tries}x"
fi
save_env --file ($root)/boot/grubenv boot_tries
`
	if got := healthConfig(2); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestGrubEnv(t *testing.T) {
	env := string(GrubEnv())
	if len(env) != 1024 || !strings.HasPrefix(env, "# GRUB Environment Block\n#") || strings.Trim(env[25:], "#") != "" {
		t.Errorf("no environment block: %q", env)
	}
}
