package extension

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/stage/machine"
	"github.com/treewright/treewright/builder/task"
)

// systemdArchitectures are systemd's names (ConditionArchitecture= in
// systemd.unit(5)) for Debian's.
var systemdArchitectures = map[string]string{"amd64": "x86-64", "arm64": "arm64"}

// Mergeable reports whether systemd's name for an architecture is known, without
// which no machine would merge an extension.
func Mergeable(arch string) bool { return systemdArchitectures[arch] != "" }

// writeExtensionRelease writes the file by which systemd recognises an
// extension and matches it to a system. One that a feature brought must match.
func writeExtensionRelease(t *task.Task, out, name, committed string, hasUnits bool) error {
	system, file, err := machine.OSRelease(committed)
	if err != nil {
		return err
	}
	rel := "usr/lib/extension-release.d/extension-release." + name
	path := filepath.Join(out, rel)
	own, err := os.ReadFile(path)
	switch {
	case err == nil:
		if why := mismatch(machine.ReleaseFields(system), machine.ReleaseFields(string(own)), t.Step.Arch); why != "" {
			return fmt.Errorf("/%s comes from the feature, and with it systemd would not merge the extension into this system: %s. "+
				"Without this file, Treewright writes one that matches", rel, why)
		}
		fmt.Fprintf(t.Log, "/%s is the feature's own\n", rel)
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	text, err := extensionRelease(system, t.Step.Arch, hasUnits)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return writeNew(t, out, rel, text, 0o644)
}

// extensionRelease returns the text of an extension-release file for a system
// with that os-release: what systemd compares, in the system's own words
// (os-release(5), section on extension-release). With units the manager
// reloads when the extension is merged.
func extensionRelease(osRelease, arch string, units bool) (string, error) {
	fields := machine.ReleaseFields(osRelease)
	if fields["ID"] == "" {
		return "", errors.New("there is no ID, by which systemd would match the extension")
	}
	text := ""
	for _, key := range machine.MatchFields {
		if value := fields[key]; value != "" {
			text += key + "=" + value + "\n"
		}
	}
	text += "ARCHITECTURE=" + systemdArchitectures[arch] + "\n"
	if units {
		text += "EXTENSION_RELOAD_MANAGER=1\n"
	}
	return text, nil
}

// mismatch explains why systemd would not merge an extension with those fields into
// a system with these, "" if it would: extension_release_validate() of
// systemd's src/shared/extension-util.c.
func mismatch(system, extension map[string]string, arch string) string {
	of := func(fields map[string]string, key string) string { return machine.Unquote(fields[key]) }
	if scope, ok := extension["SYSEXT_SCOPE"]; ok && !slices.Contains(strings.Fields(machine.Unquote(scope)), "system") {
		return fmt.Sprintf("its SYSEXT_SCOPE is %q, without \"system\"", machine.Unquote(scope))
	}
	if a := of(extension, "ARCHITECTURE"); a != "" && a != "_any" && a != systemdArchitectures[arch] {
		return fmt.Sprintf("its ARCHITECTURE is %q, the system's is %q", a, systemdArchitectures[arch])
	}
	id := of(extension, "ID")
	if id == "_any" {
		return ""
	}
	if id == "" || id != of(system, "ID") && !slices.Contains(strings.Fields(of(system, "ID_LIKE")), id) {
		return fmt.Sprintf("its ID is %q, the system's is %q", id, of(system, "ID"))
	}
	key := "VERSION_ID"
	if of(system, "SYSEXT_LEVEL") != "" && of(extension, "SYSEXT_LEVEL") != "" {
		key = "SYSEXT_LEVEL"
	}
	// A system without a version takes every one.
	want, have := of(system, key), of(extension, key)
	if want != "" && have != want {
		return fmt.Sprintf("its %s is %q, the system's is %q", key, have, want)
	}
	return ""
}
