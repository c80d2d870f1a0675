package serve

import (
	"io"
	"io/fs"
	"net/http"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/extend"
	"github.com/treewright/treewright/builder/plan"
)

// images is the directory of images of packages, which is beside the artifacts of a flavour. No manifest lists its files.
var images = &artifact{Name: extend.Dir, Kind: plan.DirArtifact}

// immutable is the Cache-Control of files whose names are made of their content's checksum.
const immutable = "public, max-age=31536000, immutable"

// The forms of names below images; see [extend.Dir].
var (
	imageFile    = regexp.MustCompile(`^[0-9a-f]{64}\.raw$`)
	documentFile = regexp.MustCompile(`^[0-9a-f]{32}\.json(\.sig)?$`)
)

// imageNames returns the flavour and the names below [images] of the path /FLAVOUR/extend/COMMIT/FILE or /extend/COMMIT/FILE. The
// flavour is "" if the path has none. It refuses all other paths.
func imageNames(names []string) (flavour string, below []string, ok bool) {
	if len(names) == 4 {
		flavour, names = names[0], names[1:]
	}
	if len(names) != 3 || names[0] != extend.Dir || !checksum.MatchString(names[1]) || !imageFile.MatchString(names[2]) && !documentFile.MatchString(names[2]) {
		return "", nil, false
	}
	return flavour, names[1:], true
}

// serveImage answers with a file of an image of packages. It refuses if the file does not exist.
func serveImage(w http.ResponseWriter, r *http.Request, root *os.Root, list *listing, names []string) bool {
	name, below, ok := imageNames(names)
	if !ok {
		return false
	}
	for _, f := range list.flavours {
		if name != "" && f.name != name {
			continue
		}
		file, info, err := open(root, f.name, images, below)
		if err != nil {
			continue
		}
		defer file.Close()
		header := w.Header()
		header.Set("Content-Type", contentType(images, below[1]))
		header.Set("Cache-Control", "no-cache") // a document is made again if its flavour is signed later
		header.Set("Etag", entityTag(f, images, info))
		if imageFile.MatchString(below[1]) {
			header.Set("Cache-Control", immutable)
			header.Set("Etag", `"`+below[1][:64]+`"`)
		}
		http.ServeContent(w, r, "", noTime, file)
		return true
	}
	return false
}

// hasCommit reports whether the published repository of a flavour has all of a commit.
func hasCommit(root *os.Root, f *flavour, sum string) bool {
	repo := f.repository()
	if repo == nil || !checksum.MatchString(sum) {
		return false
	}
	if file, _, err := open(root, f.name, repo, []string{"state", sum + ".commitpartial"}); err == nil {
		file.Close()
		return false
	}
	file, _, err := open(root, f.name, repo, []string{"objects", sum[:2], sum[2:] + ".commit"})
	if err != nil {
		return false
	}
	file.Close()
	return true
}

// hasImage reports whether the image of a request is published: with its document, and with the signature if the flavour is signed. It returns
// when the document was written.
func hasImage(root *os.Root, f *flavour, r extend.Request) (made time.Time, ok bool) {
	text, info, ok := imagePart(root, f, r.DocumentFile(), true)
	if !ok {
		return time.Time{}, false
	}
	d, err := extend.Read(text, r)
	if err != nil {
		return time.Time{}, false
	}
	if _, _, ok := imagePart(root, f, r.SignatureFile(), false); !ok && f.summary.SignedBy != "" {
		return time.Time{}, false
	}
	_, image, ok := imagePart(root, f, d.ImageFile(), false)
	return info.ModTime(), ok && image.Size() == d.Size
}

// imagePart describes a file below [images], and returns its content if read is set.
func imagePart(root *os.Root, f *flavour, name string, read bool) (text []byte, info fs.FileInfo, ok bool) {
	file, info, err := open(root, f.name, images, strings.Split(name, "/"))
	if err != nil {
		return nil, nil, false
	}
	defer file.Close()
	if read {
		text, err = io.ReadAll(io.LimitReader(file, extend.MostDocument))
	}
	return text, info, err == nil
}
