package debian

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/sandbox"
)

// indexFields are those that an index adds to a package's own, and that are not
// taken from there.
var indexFields = []string{"filename", "size", "md5sum", "sha1", "sha256", "sha512", "description-md5", strings.ToLower(localField)}

// Local reads a package from a file, by dpkg-deb(1). Its file name in an index is
// made of what it is, so that where the file is makes no difference.
func (Family) Local(ctx context.Context, file string) (distro.Archived, error) {
	out, err := sandbox.Command{Argv: []string{"dpkg-deb", "--field", file}, Env: sandbox.HostEnv(), Family: true}.Output(ctx)
	if err != nil {
		var exit *sandbox.ExitError
		if errors.As(err, &exit) {
			// What it says begins with its own name.
			said := strings.TrimSpace(strings.TrimPrefix(err.Error(), exit.Error()))
			said = strings.TrimPrefix(strings.ReplaceAll(said, file, "the file"), "dpkg-deb: error: ")
			return distro.Archived{}, &distro.LocalError{Reason: said}
		}
		return distro.Archived{}, err
	}
	sum, size, err := hashed(file)
	if err != nil {
		return distro.Archived{}, err
	}
	control := ownFields(string(out))
	p := distro.Archived{Package: distro.Package{
		Name: field([]byte(control), "Package"), Version: field([]byte(control), "Version"), Arch: field([]byte(control), "Architecture"),
	}}
	control += fmt.Sprintf("Filename: local/%s\nSize: %d\nSHA256: %s\n%s: yes\n", poolName(p), size, sum, localField)
	p, err = parsePackage([]byte(control))
	if err != nil {
		return p, &distro.LocalError{Reason: strings.TrimPrefix(err.Error(), "package index: ")}
	}
	return p, nil
}

// ownFields leaves out of control data what an index says.
func ownFields(control string) string {
	var b strings.Builder
	kept := false
	for line := range strings.Lines(control) {
		if line[0] != ' ' && line[0] != '\t' {
			name, _, ok := strings.Cut(line, ":")
			kept = ok && !slices.Contains(indexFields, strings.ToLower(name))
		}
		if kept && strings.TrimSpace(line) != "" {
			b.WriteString(strings.TrimRight(line, "\r\n") + "\n")
		}
	}
	return b.String()
}

func hashed(file string) (sum string, size int64, err error) {
	f, err := os.Open(file)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	size, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), size, err
}
