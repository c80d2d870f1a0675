package compose

import "testing"

func TestPackageHint(t *testing.T) {
	for text, want := range map[string]string{
		"nginx >= 1.2":   " Only one version can be asked for, as in nginx=1.2; without it the newest one of the archive is installed.",
		"nginx (>= 1.2)": " Only one version can be asked for, as in nginx=1.2; without it the newest one of the archive is installed.",
		"nginx (= 1.2)":  ` Did you mean "nginx=1.2"?`,
		"nginx==1.2":     ` Did you mean "nginx=1.2"?`,
		"// a comment":   " A comment begins with #.",
		"; a comment":    " A comment begins with #.",
		"- vim":          ` Did you mean "vim", without the dash of YAML?`,
		`"htop"`:         ` Did you mean "htop"?`,
		"'htop',":        ` Did you mean "htop"?`,
		"Nginx":          ` Did you mean "nginx"?`,
		"vim, htop":      " No commas are between them.",
		"vim htop":       "",
		"vim/":           "",
	} {
		if got := packageHint(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
