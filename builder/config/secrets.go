package config

import (
	"io/fs"
	"path"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// MostSecret is how long a file may be, in bytes, to be looked at for secrets:
// keys are small, and a tree has hundreds of megabytes.
const MostSecret = 1 << 20

// mostLooked bounds what [Load] looks at for secrets, in bytes, of which each file
// counts as costOfLook more.
const (
	mostLooked = 32 << 20
	costOfLook = 2000
)

// keyStoreNames are how names of files end that are PKCS #12 key stores: their
// first bytes are those of many things.
var keyStoreNames = []string{".p12", ".pfx", ".pkcs12"}

// Secret describes what makes a file of a system a secret, as it follows "is", or ""
// if it is not one that is known. The path is that on a machine, absolute.
func Secret(file string, content []byte) string {
	if len(content) == 0 {
		return ""
	}
	for _, ending := range keyStoreNames {
		if strings.HasSuffix(file, ending) && content[0] == 0x30 {
			return "a key store"
		}
	}
	if bareKey(file, content) {
		return "a key of WireGuard"
	}
	for _, kind := range secretKinds {
		fits := len(kind.paths) == 0
		for _, pattern := range kind.paths {
			if matchPath(pattern, file) {
				fits = true
			}
		}
		if fits && (kind.holds == nil || kind.holds(content)) {
			return kind.what
		}
	}
	return ""
}

// matchPath is path.Match, but of a pattern "DIR/**/NAME" NAME is matched with
// the names of all files below DIR.
func matchPath(pattern, file string) bool {
	if dir, name, deep := strings.Cut(pattern, "/**/"); deep {
		if !strings.HasPrefix(file, dir+"/") {
			return false
		}
		pattern, file = name, path.Base(file)
	}
	// Few files begin as a pattern does.
	if i := strings.IndexAny(pattern, `*?[\`); i < 0 {
		return pattern == file
	} else if !strings.HasPrefix(file, pattern[:i]) {
		return false
	}
	ok, _ := path.Match(pattern, file)
	return ok
}

var wireguardKey = regexp.MustCompile(`^\s*[A-Za-z0-9+/]{43}=\s*$`)

// bareKey tells a file that is nothing but a key of WireGuard. Only its name
// tells a public one from others.
func bareKey(file string, content []byte) bool {
	return strings.HasPrefix(file, "/etc/wireguard/") && !strings.Contains(path.Base(file), "pub") && wireguardKey.Match(content)
}

// checkFiles finds secrets among the files that a feature brings.
func (l *loader) checkFiles(f *Feature) {
	root := path.Join(f.Dir, "file.include")
	allowed := map[string]bool{}
	for _, s := range f.Secrets {
		allowed[s.Text] = true
	}
	err := fs.WalkDir(l.fsys, root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil || info.Size() > MostSecret {
			return err
		}
		if l.unlooked {
			return fs.SkipAll
		}
		if l.looked += int(info.Size()) + costOfLook; l.looked > mostLooked {
			l.unlooked = true
			l.say(Warning(FileStart(name), "Files not checked", "From here on, files below file.include were not checked for secrets, because there are too many. The build checks all of them before it makes the commit."))
			return fs.SkipAll
		}
		// Not kept for messages: they would show the secret.
		content, err := fs.ReadFile(l.fsys, name)
		if err != nil {
			return err
		}
		file := strings.TrimPrefix(name, root)
		if what := Secret(file, content); what != "" && !allowed[file] {
			l.say(SecretFile(f, name, file, what))
		}
		return nil
	})
	if err != nil {
		l.say(Fault(FileStart(root), "Cannot read directory", "%s.", err))
	}
}

// SecretFile is the fault of a file of a feature that is a secret: name is where it is
// in the tree, file where it would be in the system.
func SecretFile(f *Feature, name, file, what string) *hcl.Diagnostic {
	return Fault(FileStart(name), "Secret in the system", "%s is %s, and everyone who gets the commit could read it. Put it on each machine in another way; or, if it is not a secret or may be public, write secrets: [%s] to %s/info.yaml.", file, what, file, f.Dir)
}
