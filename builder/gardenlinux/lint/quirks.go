package lint

import (
	"bytes"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/gardenlinux/tree"
)

const differs = "Treated differently"

// quirks warns of what a feature's lists and image scripts mean to Treewright
// and do not mean to the Garden Linux builder (configure.chroot, image,
// make_get_image_dependencies). What depends on other features is for compose.
func (l *linter) quirks(f *config.Feature) {
	for _, list := range []string{"pkg.include", "pkg.exclude", "file.exclude", "file.include.stat", "fstab"} {
		name := path.Join(f.Dir, list)
		src := l.read(name)
		lines := config.ParseList(name, src)
		if len(lines) == 0 {
			continue
		}
		last := lines[len(lines)-1].Range
		// The Garden Linux builder ends each pkg.include, and no other list, with a newline.
		if unended := 1 + bytes.Count(src, []byte("\n")); list != "pkg.include" && last.Start.Line == unended {
			loses := "loses it"
			if list == "pkg.exclude" {
				loses = "joins it with the first line of the next feature's, or loses it if there is none"
			}
			l.warn(last, differs, "This last line of %s has no newline at its end. The Garden Linux builder %s; Treewright reads it like any other.", list, loses)
		}
		if i := bytes.Index(src, []byte("\r\n")); i >= 0 {
			l.warn(config.RangeIn(name, src, i, i+1), differs, "Lines of this list end with carriage returns. To the Garden Linux builder they are part of the last word, so that there is no such package; Treewright leaves them out.")
		}
	}
	for _, s := range tree.PartsOf(f).Images {
		switch {
		case s.File == "image.raw" || s.File == "convert.raw":
			l.warn(s.Range, differs, "The Garden Linux builder counts %s among what makes artifacts, but then looks for the script that makes .raw under the name %s alone, and runs its own. Treewright runs this one. Call it %[2]s, if it is meant to be run.", s.File, strings.TrimSuffix(s.File, ".raw"))
		case s.Takes == "release" && !l.ownRelease():
			l.warn(s.Range, differs, "%s takes .release. The Garden Linux builder makes it of /etc/os-release in the tarball, which is a link in Debian, so the artifact is empty. Treewright's has the content of the link's target.", s.File)
		}
	}
}

// ownRelease reports whether a feature brings an os-release that is a file.
func (l *linter) ownRelease() bool {
	for _, f := range l.project.Features {
		if _, err := fs.Stat(l.fsys, path.Join(f.Dir, "file.include/etc/os-release")); err == nil {
			return true
		}
	}
	return false
}

// systemModes are directories that Debian's packages bring, in trixie and testing,
// with another mode than a feature's directory gives them: 0755, or less.
var systemModes = map[string]string{
	"root": "0700", "tmp": "1777", "var/tmp": "1777", "var/mail": "2775", "var/log/journal": "2755", "var/spool/cron/crontabs": "1730",
	"var/lib/private": "0700", "var/log/private": "0700", "var/cache/private": "0700", "etc/ssl/private": "0700",
	"etc/credstore": "0700", "etc/credstore.encrypted": "0700", "etc/audit": "0750", "etc/audit/rules.d": "0750", "etc/polkit-1/rules.d": "0750",
}

// systemLinks are links in every system of Debian's since usr was merged, and
// directories to those who do not know.
var systemLinks = []string{"bin", "sbin", "lib", "lib32", "lib64", "libx32", "var/run", "var/lock"}

var (
	autologin  = regexp.MustCompile(`(?m)^[^#\n]*?((?:--autologin|[ \t]-a)[ =][ \t]*[A-Za-z_%][^ \t\n]*)`)
	privateKey = regexp.MustCompile(`(?m)^-----BEGIN [A-Z ]*PRIVATE KEY-----`)
	shadowHash = regexp.MustCompile(`(?m)^[^:#\n]+:\$[^:\n]+`)
)

// files looks at what a feature lays over the system.
func (l *linter) files(f *config.Feature) {
	top := path.Join(f.Dir, "file.include")
	if !f.HasFiles {
		return
	}
	var directories []string
	_ = fs.WalkDir(l.fsys, top, func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == top {
			return nil // who copies the files says what is the matter
		}
		rel := strings.TrimPrefix(name, top+"/")
		if d.IsDir() {
			directories = append(directories, rel)
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		src := l.read(name)
		for _, secret := range []struct {
			within, summary, detail string
			what                    *regexp.Regexp
		}{
			{"getty@", "Login without a password", "%s: anyone who reaches the console of such a system is logged in. Use it for test systems only.", autologin},
			{"etc/", "Private key in the image", "%s: anyone who has the image or the tree has the key, and it is the same on all systems. The file's mode does not protect it, because all files of features are made readable.", privateKey},
			{"etc/shadow", hasPassword, "%s: anyone who has the tree or the image can try to find the password.", shadowHash},
		} {
			m := secret.what.FindSubmatchIndex(src)
			if m == nil || !strings.Contains(rel, secret.within) {
				continue
			}
			from, to := m[len(m)-2], m[len(m)-1]
			text := strings.TrimSpace(string(src[from:to]))
			if secret.summary == hasPassword {
				text, _, _ = strings.Cut(text, ":")
			}
			l.warn(config.RangeIn(name, src, from, to), secret.summary, secret.detail, `"`+text+`"`)
		}
		return nil
	})
	l.directories(f, top, directories)
}

// directories warns of directories of a feature that the system has already.
func (l *linter) directories(f *config.Feature, top string, directories []string) {
	var kept []string
	for _, rel := range directories {
		if slices.Contains(systemLinks, rel) {
			l.warn(config.FileStart(path.Join(top, rel)), differs, "In Debian /%s is a link, and the Garden Linux builder's cp fails, because it does not replace a link by a directory. Treewright follows the link.", rel)
		} else if mode, ok := systemModes[rel]; ok && !setsMode(f.FileStat, rel) {
			kept = append(kept, "/"+rel+" ("+mode+")")
		}
	}
	if len(kept) > 0 {
		l.warn(config.FileStart(top), differs, "These directories exist in the system with other modes: %s. The Garden Linux builder gives them the mode of the feature's directory, usually 0755; with Treewright an existing directory keeps its mode. To set another mode, write a line to file.include.stat.", strings.Join(kept, ", "))
	}
}

// setsMode reports whether a list sets a directory's mode by its name.
func setsMode(lines []config.Line, directory string) bool {
	return slices.ContainsFunc(lines, func(line config.Line) bool {
		fields := strings.Fields(line.Text)
		return len(fields) > 3 && slices.ContainsFunc(fields[3:], func(p string) bool { return strings.Trim(p, "/") == directory })
	})
}
