package lint

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	prepareRootConf = "usr/lib/ostree/prepare-root.conf"
	prepareRoot     = "usr/lib/ostree/ostree-prepare-root"
)

// noComposefs is in the message of a program that was compiled without composefs,
// and in no other.
const noComposefs = "support is not compiled in"

// lintComposefs finds a root that the tree's own program cannot mount.
func lintComposefs(tree string, report func(string, ...any)) {
	conf, err := os.ReadFile(filepath.Join(tree, prepareRootConf))
	if err != nil {
		return // missing, which is reported
	}
	program, err := os.ReadFile(filepath.Join(tree, prepareRoot))
	if err != nil {
		return
	}
	if wantsComposefs(string(conf)) && bytes.Contains(program, []byte(noComposefs)) {
		report("/%s turns composefs on, but this suite's ostree was compiled without it: no machine would boot; set enabled = no in its section [composefs]", prepareRootConf)
	}
}

// wantsComposefs reports whether the root has to be one, by ostree-prepare-root(1).
func wantsComposefs(conf string) bool {
	section, wants := "", false
	for line := range strings.Lines(conf) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			section = line
		}
		name, value, _ := strings.Cut(line, "=")
		if section == "[composefs]" && strings.TrimSpace(name) == "enabled" {
			wants = slices.Contains([]string{"yes", "true", "1", "verity", "signed"}, strings.ToLower(strings.TrimSpace(value)))
		}
	}
	return wants
}
