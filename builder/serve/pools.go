package serve

import (
	"net/http"
	"os"
	"regexp"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/extend"
	"github.com/treewright/treewright/builder/plan"
)

// pools is the directory of packages that machines may add to commits, which is beside the artifacts of a flavour. No manifest lists
// its files.
var pools = &artifact{Name: extend.PoolDir, Kind: plan.DirArtifact}

// The forms of names below pools; see [extend.PoolDir].
var (
	poolIndex   = regexp.MustCompile(`^(InRelease|Release|Release\.gpg|Packages)$`)
	poolPackage = regexp.MustCompile(`^[0-9a-f]{64}\.deb$`)
)

// poolNames returns the flavour and the names below [pools] of the path /FLAVOUR/pool/COMMIT/FILE or /pool/COMMIT/FILE, where
// "files" can be in the place of COMMIT. The flavour is "" if the path has none. It refuses all other paths.
func poolNames(names []string) (flavour string, below []string, ok bool) {
	if len(names) == 4 {
		flavour, names = names[0], names[1:]
	}
	if len(names) != 3 || names[0] != extend.PoolDir {
		return "", nil, false
	}
	index := checksum.MatchString(names[1]) && poolIndex.MatchString(names[2])
	if !index && !(names[1] == distro.PoolFiles && poolPackage.MatchString(names[2])) {
		return "", nil, false
	}
	return flavour, names[1:], true
}

// servePool answers with a file of a pool. It refuses if the file does not exist.
func servePool(w http.ResponseWriter, r *http.Request, root *os.Root, list *listing, names []string) bool {
	name, below, ok := poolNames(names)
	if !ok {
		return false
	}
	for _, f := range list.flavours {
		if name != "" && f.name != name {
			continue
		}
		file, info, err := open(root, f.name, pools, below)
		if err != nil {
			continue
		}
		defer file.Close()
		header := w.Header()
		if poolPackage.MatchString(below[1]) {
			header.Set("Content-Type", "application/vnd.debian.binary-package")
			header.Set("Cache-Control", immutable)
			header.Set("Etag", `"`+below[1][:64]+`"`)
		} else {
			header.Set("Content-Type", "text/plain; charset=utf-8")
			header.Set("Cache-Control", "no-cache") // the pool of the newest commit can get more packages
			header.Set("Etag", entityTag(f, pools, info))
		}
		http.ServeContent(w, r, "", noTime, file)
		return true
	}
	return false
}
