package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var docPicture = regexp.MustCompile(`!\[([^\]]*)\]\(([^)\s]+)\)`)

// picturesLimit is how large all pictures together may be, in bytes: each clone has them.
const picturesLimit = 1500 << 10

// TestDocsPictures: each picture that a page shows exists, and has a text that describes it for those who
// cannot see it; none is there that no page shows; and they are small.
func TestDocsPictures(t *testing.T) {
	shown := map[string]bool{}
	for _, page := range docPages(t) {
		for _, m := range docPicture.FindAllStringSubmatch(docFence.ReplaceAllString(readDoc(t, page), ""), -1) {
			file := filepath.Join(filepath.Dir(page), m[2])
			shown[file] = true
			if _, err := os.Stat(filepath.Join(docsRoot, file)); err != nil {
				t.Errorf("%s shows a picture that is not there: %v", page, err)
			}
			if len(strings.Fields(m[1])) < 4 {
				t.Errorf("%s: the text of %s says too little: %q", page, m[2], m[1])
			}
		}
	}
	files, err := filepath.Glob(filepath.Join(docsRoot, "docs/pictures/*"))
	if err != nil {
		t.Fatal(err)
	}
	var size int64
	for _, f := range files {
		if !shown["docs/pictures/"+filepath.Base(f)] {
			t.Errorf("%s: no page shows it", f)
		}
		info, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	if len(files) < 5 || size > picturesLimit {
		t.Errorf("%d pictures have %d bytes, the limit is %d", len(files), size, picturesLimit)
	}
}

// What only the machine has that a picture was made on.
var picturesHost = regexp.MustCompile(`/root/|/home/|/tmp/|127\.0\.0\.1|localhost|this machine's apt|/dev/kvm`)

// TestDocsPicturesTellNothing: what is text in a picture has nothing of the machine that it was made on.
func TestDocsPicturesTellNothing(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(docsRoot, "docs/pictures/*.svg"))
	if err != nil || len(files) < 2 {
		t.Fatalf("%d pictures, error %v", len(files), err)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		// termtosvg's blanks do not break.
		text := strings.ReplaceAll(string(raw), "\u00a0", " ")
		if found := picturesHost.FindString(text); found != "" {
			t.Errorf("%s has %q", f, found)
		}
		if len(host) > 4 && strings.Contains(text, host) {
			t.Errorf("%s has the name of this machine", f)
		}
	}
}
