package debian

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/sandbox"
)

// apt runs an apt program on the private root.
func (a *Archive) apt(ctx context.Context, argv ...string) ([]byte, error) {
	dir, root, keyring := a.dir, a.dir, a.Source.Keyring
	if a.parts != nil || a.alone {
		keyring = root // a union needs none: its parts were verified
	}
	if !plainPath.MatchString(root) || !plainPath.MatchString(keyring) || a.armoured != (filepath.Ext(keyring) == ".asc") {
		// apt cannot quote all characters, and goes by the name of a keyring to know whether
		// it is armoured, so the files get other names.
		name := "keyring.gpg"
		if a.armoured {
			name = "keyring.asc"
		}
		alias, err := aliases(map[string]string{"root": a.dir, name: keyring})
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(alias)
		dir, root, keyring = alias, alias+"/root", filepath.Join(alias, name)
	}
	if err := a.configure(dir, root, keyring); err != nil {
		return nil, err
	}
	env := sandbox.HostEnv()
	env["APT_CONFIG"] = filepath.Join(dir, "apt.conf")
	return sandbox.Command{Argv: argv, Env: env, Family: true}.Output(ctx)
}

// aliases makes a directory with links, by their names.
func aliases(links map[string]string) (string, error) {
	dir, err := os.MkdirTemp(plainTemp(), "treewright-apt-")
	if err != nil {
		return "", fmt.Errorf("prepare apt root: %w", err)
	}
	for from, to := range links {
		if err := os.Symlink(to, filepath.Join(dir, from)); err != nil {
			return "", errors.Join(fmt.Errorf("prepare apt root: %w", err), os.RemoveAll(dir))
		}
	}
	return dir, nil
}

// configure writes apt.conf and sources.list into dir, for the private root and
// the keyring at the given paths.
func (a *Archive) configure(dir, root, keyring string) error {
	var conf strings.Builder
	option := func(name, value string) { conf.WriteString(aptOption(name, value)) }
	option("Dir::Etc", root+"/etc/apt")
	option("Dir::Etc::sourcelist", dir+"/sources.list")
	option("Dir::Etc::sourceparts", "/dev/null")
	option("Dir::Etc::trusted", "/dev/null")
	option("Dir::Etc::trustedparts", "/dev/null")
	option("Dir::State::lists", root+"/lists")
	option("Dir::State::status", "/dev/null")
	option("Dir::State::extended_states", root+"/extended_states")
	option("Dir::Cache", root+"/cache")
	option("Dir::Log", root)
	option("APT::Architecture", a.Arch)
	fmt.Fprintf(&conf, "#clear APT::Architectures;\nAPT::Architectures { \"%s\"; };\n", strings.Join(append([]string{a.Arch}, a.MoreArchs...), `"; "`))
	option("APT::Install-Recommends", "false")
	option("APT::Install-Suggests", "false")
	option("APT::Sandbox::User", "root")
	option("Acquire::Languages", "none")
	option("Acquire::GzipIndexes", "false")
	option("Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled", "false")
	option("Acquire::IndexTargets::deb::DEP-11::DefaultEnabled", "false")
	// One day a suite such as stable is another release. apt refuses that only if it has
	// older indices.
	option("Acquire::AllowReleaseInfoChange", "true")
	// Its tries are ours to repeat, and to tell.
	option("Acquire::Retries", "0")
	option("Acquire::http::Timeout", "30")
	option("Acquire::https::Timeout", "30")
	conf.WriteString(a.Policy.Conf())
	conf.WriteString(authorityConf(a.Source))
	for name, text := range map[string]string{"apt.conf": conf.String(), "sources.list": a.sourcesList(keyring)} {
		if err := rewrite(filepath.Join(dir, name), text); err != nil {
			return fmt.Errorf("prepare apt root: %w", err)
		}
	}
	return nil
}

// sourcesList is in the syntax of sources.list(5).
func (a *Archive) sourcesList(keyring string) string {
	if a.alone {
		return ""
	}
	if a.parts != nil {
		return unionList(a.parts)
	}
	options := "signed-by=" + keyring
	if len(a.Source.Architectures) > 0 {
		options = "arch=" + strings.Join(a.Source.Architectures, ",") + " " + options
	}
	line := []string{"deb", "[" + options + "]", a.Source.URL, a.Source.Suite}
	if !a.Source.Flat() {
		line = append(line, a.Source.Components...)
	}
	return strings.Join(line, " ") + "\n"
}

// rewrite gives a file another content in one go: another apt may be reading it.
// It is for its owner only, as passwords of proxies and mirrors are in such files.
func rewrite(file, text string) error {
	if have, err := os.ReadFile(file); err == nil && string(have) == text {
		return os.Chmod(file, 0o600) // earlier versions left it open
	}
	return layer.WriteFile(file, []byte(text), 0o600)
}
