package added

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// remote is the source of a deployment's commits, as configured for libostree.
type remote struct {
	name, url string
	// verify is set if commits and images must be signed.
	verify bool
	// keyPath are files and directories of keys that are named for the remote (gpgkeypath).
	keyPath []string
}

// The repository of a machine, and the directory of remotes that were added on it.
const (
	systemRepo = "sysroot/ostree/repo"
	remotesDir = "etc/ostree/remotes.d"
)

// remote reads the configuration of a remote: the configuration of the repository comes first.
func (m *Machine) remote(name string) (remote, error) {
	added, err := filesIn(m.at(remotesDir), ".conf")
	if err != nil {
		return remote{}, fmt.Errorf("read the remote %q: %w", name, err)
	}
	files := append([]string{m.at(systemRepo, "config")}, added...)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return remote{}, fmt.Errorf("read the remote %q: %w", name, err)
		}
		if fields, found := group(string(text), `remote "`+name+`"`); found {
			return newRemote(name, fields), nil
		}
	}
	return remote{}, fmt.Errorf("this machine has no remote %q, which its system came from", name)
}

// newRemote returns a remote with the fields of its group. Without gpg-verify, libostree requires signatures.
func newRemote(name string, fields map[string]string) remote {
	r := remote{name: name, url: fields["url"], verify: true}
	switch strings.ToLower(fields["gpg-verify"]) {
	case "false", "0":
		r.verify = false
	}
	r.keyPath = strings.FieldsFunc(fields["gpgkeypath"], func(c rune) bool { return c == ';' || c == ',' })
	return r
}

// group reads a group of a key file, the form of libostree's configuration.
func group(text, name string) (fields map[string]string, found bool) {
	in := false
	fields = map[string]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			in = line == "["+name+"]"
			found = found || in
		case in:
			key, value, _ := strings.Cut(line, "=")
			fields[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
	return fields, found
}

// keys are the public keys by which libostree checks commits of the remote, each the content of a file: the keys that were imported for the
// remote or that it names; without any, the keys of the system.
func (m *Machine) keys(r remote) ([][]byte, error) {
	files := []string{m.at(systemRepo, r.name+".trustedkeys.gpg")}
	for _, path := range r.keyPath {
		within, err := keyFiles(m.at(path))
		if err != nil {
			return nil, err
		}
		files = append(files, within...)
	}
	keys, err := readAll(files)
	if err != nil || len(keys) > 0 {
		return keys, err
	}
	if files, err = keyFiles(m.at("usr/share/ostree/trusted.gpg.d")); err != nil {
		return nil, err
	}
	return readAll(files)
}

// keyFiles returns the files of a directory of keys, or the path itself if it is a file.
func keyFiles(path string) ([]string, error) {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		return []string{path}, nil
	}
	return filesIn(path, ".gpg", ".asc")
}

// filesIn returns the files of a directory with one of the endings, none if the directory does not exist.
func filesIn(dir string, endings ...string) (files []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		if slices.Contains(endings, filepath.Ext(e.Name())) {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	return files, nil
}

// readAll reads the files that exist.
func readAll(files []string) (contents [][]byte, err error) {
	for _, file := range files {
		content, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read the keys of this machine: %w", err)
		}
		contents = append(contents, content)
	}
	return contents, nil
}

// baseOf returns the URL of the directory that has images for a deployment; "" if no web server is known.
func (m *Machine) baseOf(d Deployment) (string, error) {
	r := remote{}
	if name := d.remote(); name != "" {
		var err error
		if r, err = m.remote(name); err != nil {
			return "", err
		}
	}
	return m.base(r)
}

// base returns the URL of the directory that has images beside its repositories: the URL in the settings, else the directory above the
// remote's repository; "" if neither is on a web server.
func (m *Machine) base(r remote) (string, error) {
	s, err := m.settings()
	if err != nil {
		return "", err
	}
	if s.Server != "" {
		u, err := url.Parse(s.Server)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return "", fmt.Errorf("the server %q in the settings is not an http or https URL", s.Server)
		}
		return strings.TrimRight(s.Server, "/"), nil
	}
	u, err := url.Parse(r.url)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", nil
	}
	u.Path, u.RawPath = strings.TrimRight(path.Dir(strings.TrimRight(u.Path, "/")), "/"), ""
	return u.String(), nil
}
