package build

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
)

// AuthSecret is the secret with names and passwords for servers. Its file has the
// form that the family's own programs read (apt_auth.conf(5)).
const AuthSecret = "auth"

// secretNames are those that a build can be given.
var secretNames = []string{AuthSecret}

// secretPrefix begins the variable that names the file of a secret.
const secretPrefix = "TREEWRIGHT_SECRET_"

// checkSecrets takes secrets from the environment too, and looks at their files.
// What is in them is read when it is needed.
func (o *Options) checkSecrets(families distro.Families) error {
	all := map[string]string{}
	for name, file := range o.Env {
		if secret, ok := strings.CutPrefix(name, secretPrefix); ok {
			all[secret] = file
		}
	}
	maps.Copy(all, o.Secrets)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !slices.Contains(secretNames, name) {
			hint := ""
			if meant := config.Suggest(name, secretNames); meant != "" {
				hint = fmt.Sprintf("; did you mean %q?", meant)
			}
			return diag.Requestf("there is no secret %q, only %s%s", name, strings.Join(secretNames, ", "), hint)
		}
		file, err := filepath.Abs(all[name])
		if err != nil {
			return err
		}
		all[name] = file
		info, err := os.Stat(file)
		if err != nil {
			return diag.Requestf("the secret %s: %v", name, err)
		}
		for _, f := range families {
			if err := f.CheckAuth(file); err != nil {
				return diag.Requestf("the secret %s: %v", name, err)
			}
		}
		if info.Mode().Perm()&0o004 != 0 {
			o.Say(fmt.Sprintf("the secret %s: every user of this machine can read %s; chmod 600 keeps it to its owner", name, file))
		}
	}
	o.Secrets = all
	return nil
}

// auth are the files with names and passwords for servers.
func (o *Options) auth() []string {
	if file := o.Secrets[AuthSecret]; file != "" {
		return []string{file}
	}
	return nil
}
