package debian

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/treefs"
)

// authEntry is an entry of a file with names and passwords (apt_auth.conf(5)).
type authEntry struct {
	// machine is [PROTOCOL://]HOST[:PORT][/PATH], and file where the entry is.
	machine, file  string
	user, password string
}

// mostAuth is how long a file with passwords may be, in bytes.
const mostAuth = 1 << 20

// parseAuth reads such a file as apt does: word by word, whatever the lines.
func parseAuth(file, text string) []authEntry {
	var entries []authEntry
	words := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '\t' || r == '\n' || r == '\r' })
	for len(words) >= 2 {
		word, value := words[0], words[1]
		switch {
		case word == "machine":
			entries = append(entries, authEntry{machine: value, file: file})
		case word == "login" && len(entries) > 0:
			entries[len(entries)-1].user = value
		case word == "password" && len(entries) > 0:
			entries[len(entries)-1].password = value
		default:
			words = words[1:]
			continue
		}
		words = words[2:]
	}
	return entries
}

// matches reports whether the entry is for a URL. If it is for its host and path, but
// not without encryption, plain is true.
func (e authEntry) matches(u *url.URL) (ok, plain bool) {
	scheme, place, said := strings.Cut(e.machine, "://")
	if !said {
		scheme, place = "https", e.machine
	}
	host, path := u.Hostname(), u.EscapedPath()
	if u.Port() != "" {
		host = u.Host
	}
	if strings.Contains(place, "/") {
		ok = strings.HasPrefix(host+path, place)
	} else {
		ok = place == host || u.Port() != "" && place == u.Hostname()
	}
	return ok && scheme == u.Scheme, ok && !said && u.Scheme == "http"
}

// auth are the entries of all files, in the order in which they are looked at.
type auth []authEntry

// of returns name and password for a URL, those of the first entry that is for it.
func (a auth) of(u *url.URL) *url.Userinfo {
	if e := a.entry(u); e != nil {
		return url.UserPassword(e.user, e.password)
	}
	return nil
}

func (a auth) entry(u *url.URL) *authEntry {
	for i := range a {
		if ok, _ := a[i].matches(u); ok && a[i].user+a[i].password != "" {
			return &a[i]
		}
	}
	return nil
}

// readAuth reads files with passwords. Those that this user may not read, or that
// are gone, have none.
func readAuth(files []string) auth {
	var all auth
	for _, file := range files {
		if text, err := treefs.ReadFile(file, mostAuth); err == nil {
			all = append(all, parseAuth(file, string(text))...)
		}
	}
	return all
}

// CheckAuth describes what is wrong with a file with passwords (apt_auth.conf(5)).
func (Family) CheckAuth(file string) error {
	text, err := treefs.ReadFile(file, mostAuth)
	if err != nil {
		return err
	}
	for _, e := range parseAuth(file, string(text)) {
		if e.user+e.password != "" {
			return nil
		}
	}
	return fmt.Errorf("%s has no entry of the form `machine HOST login NAME password PASSWORD` (apt_auth.conf(5))", file)
}

// partName is what apt reads of a directory of parts, if it ends in .conf.
var partName = regexp.MustCompile(`^[A-Za-z0-9_.-]+\.conf$`)

// hostAuth are the files with passwords of this machine's apt, by its settings, as
// apt-config writes them.
func hostAuth(dump string) []string {
	setting := func(name string) string {
		for line := range strings.Lines(dump) {
			if value, ok := strings.CutPrefix(line, name+"\t"); ok {
				return strings.TrimSuffix(value, "\n")
			}
		}
		return ""
	}
	at := func(names ...string) string {
		path := ""
		for _, name := range names {
			if value := setting(name); filepath.IsAbs(value) {
				path = value
			} else {
				path = filepath.Join(path, value)
			}
		}
		return path
	}
	var files []string
	if file := at("Dir", "Dir::Etc", "Dir::Etc::netrc"); file != at("Dir", "Dir::Etc") {
		files = append(files, file)
	}
	parts := at("Dir", "Dir::Etc", "Dir::Etc::netrcparts")
	entries, err := os.ReadDir(parts)
	if err != nil || parts == at("Dir", "Dir::Etc") {
		return files
	}
	for _, e := range entries {
		if partName.MatchString(e.Name()) {
			files = append(files, filepath.Join(parts, e.Name()))
		}
	}
	return slices.DeleteFunc(files, func(file string) bool {
		info, err := os.Stat(file)
		return os.IsNotExist(err) || err == nil && !info.Mode().IsRegular()
	})
}

// authLinks makes a directory in which apt finds the files with passwords, by links:
// no copy of a password is made.
func authLinks(files []string) (dir string, err error) {
	if dir, err = os.MkdirTemp(plainTemp(), "treewright-auth-"); err != nil {
		return "", fmt.Errorf("prepare apt root: %w", err)
	}
	for i, file := range files {
		if err := os.Symlink(file, filepath.Join(dir, fmt.Sprintf("%03d.conf", i))); err != nil {
			_ = os.RemoveAll(dir)
			return "", fmt.Errorf("prepare apt root: %w", err)
		}
	}
	return dir, nil
}

// passwordFor describes what is known of the password for a URL that asks for one.
func passwordFor(u *url.URL, files []string) string {
	if u.User != nil {
		return "It does not accept the name and password in its URL."
	}
	entries := readAuth(files)
	if e := entries.entry(u); e != nil {
		return fmt.Sprintf("It does not accept the name and password for the machine %s in %s.", e.machine, e.file)
	}
	var unread []string
	for _, file := range files {
		if f, err := os.Open(file); err != nil {
			unread = append(unread, file)
		} else {
			f.Close()
		}
	}
	for _, e := range entries {
		if _, plain := e.matches(u); plain {
			return fmt.Sprintf("The entry for the machine %s in %s is for https only: write http://%s there if the password may be sent unencrypted, or use https.", e.machine, e.file, e.machine)
		}
	}
	said := fmt.Sprintf("No entry for it was found: write `machine %s login NAME password PASSWORD` into a file (apt_auth.conf(5)) and name it by --secret auth=FILE, or put it into /etc/apt/auth.conf.d.", machineOf(u))
	if len(unread) > 0 {
		said += fmt.Sprintf(" This user may not read %s.", list(unread))
	}
	return said
}

// machineOf is how an entry for a URL begins.
func machineOf(u *url.URL) string {
	if u.Scheme == "https" {
		return u.Host + u.EscapedPath()
	}
	return u.Scheme + "://" + u.Host + u.EscapedPath()
}
