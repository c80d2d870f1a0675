package vm

import (
	"encoding/base64"
	"slices"
	"strings"
)

// beginShell has root's shell begin on the console of a machine that runs already, or
// reports why it cannot.
const beginShell = `
unit=serial-getty@CONSOLE.service
dir=/run/systemd/system/$unit.d
mkdir -p "$dir"
base64 --decode <<< DROPIN > "$dir/50-kept.conf"
systemctl daemon-reload
systemctl restart "$unit"
sleep 2
systemctl is-active --quiet "$unit" || { systemctl status --no-pager --lines=10 "$unit"; exit 1; }
`

// start is the script that puts root's shell on the console of a machine that runs.
func (r RootShell) start(arch string) string {
	return strings.NewReplacer("CONSOLE", boards[arch].console, "DROPIN", base64.StdEncoding.EncodeToString([]byte(r.dropIn()))).Replace(beginShell)
}

// afterFailure are those of the credentials that mean nothing to a boot that succeeds.
func (r RootShell) afterFailure(arch string) []Credential {
	return slices.DeleteFunc(r.Credentials(arch), func(c Credential) bool {
		return !strings.HasSuffix(c.Name, ".emergency.service") && !strings.HasSuffix(c.Name, ".rescue.service")
	})
}
