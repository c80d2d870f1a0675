package serve

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/publish"
)

// noTime makes http.ServeContent leave modification times alone.
var noTime time.Time

// serveText answers with something made from the manifests.
func serveText(w http.ResponseWriter, r *http.Request, contentType string, body []byte) {
	header := w.Header()
	header.Set("Content-Type", contentType)
	header.Set("Cache-Control", "no-cache")
	header.Set("Etag", fmt.Sprintf(`"%x"`, sha256.Sum256(body)))
	http.ServeContent(w, r, "", noTime, bytes.NewReader(body))
}

// sums is in the format of sha256sum's output in binary mode.
func (f *flavour) sums() []byte {
	var b bytes.Buffer
	for _, a := range f.artifacts {
		if a.Kind == plan.FileArtifact && a.SHA256 != "" {
			fmt.Fprintf(&b, "%s *%s\n", a.SHA256, a.Name)
		}
	}
	return b.Bytes()
}

// The index, as index.json has it.
type (
	index struct {
		Flavours []indexFlavour `json:"flavours"`
	}
	indexFlavour struct {
		Name      string          `json:"name"`
		Sums      string          `json:"sha256sums"` // URL path
		Artifacts []indexArtifact `json:"artifacts"`
	}
	indexArtifact struct {
		artifact
		URL string `json:"url"` // URL path, without the flavour if it goes without
	}
)

func (l *listing) index() index {
	out := index{Flavours: []indexFlavour{}}
	for _, f := range l.flavours {
		entry := indexFlavour{Name: f.name, Sums: urlPath(f.name, publish.SumsName), Artifacts: []indexArtifact{}}
		for _, a := range f.artifacts {
			link := urlPath(f.name, a.Name)
			if l.short[a.Name] == f && l.flavour(a.Name) == nil && !slices.Contains(reserved, a.Name) {
				link = urlPath(a.Name)
			}
			entry.Artifacts = append(entry.Artifacts, indexArtifact{a, link})
		}
		out.Flavours = append(out.Flavours, entry)
	}
	return out
}

// reserved are names of the server's own at the top.
var reserved = []string{"index.json", "healthz", "metrics"}

func urlPath(names ...string) string {
	return (&url.URL{Path: "/" + strings.Join(names, "/")}).String()
}

func (l *listing) json() []byte {
	raw, err := json.MarshalIndent(l.index(), "", "  ")
	if err != nil {
		panic(err) // strings and numbers can always be written
	}
	return append(raw, '\n')
}
