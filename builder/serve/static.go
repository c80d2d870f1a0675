package serve

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/publish"
)

// indexName is the page, for web servers that serve files alone.
const indexName = "index.html"

// ours is in each page that this package writes.
var ours = []byte(`<meta name="generator" content="Treewright">`)

// Write writes the page for other web servers: index.html into the output directory
// root, and build.json beside the artifacts of each flavour. base is the URL of that directory, without a
// slash at the end. flavours and log are as for [New]; one that was not built is an error. It returns the
// paths of what it wrote. An index.html that is not a page of this kind is an error, and stays.
func Write(root string, flavours []string, base string, log func(string)) ([]string, error) {
	h, dir, err := begin(root, flavours, log)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	list := h.current(dir)
	for _, name := range flavours {
		if list.flavour(name) == nil {
			return nil, fmt.Errorf("write the page: %s was not built yet", name)
		}
	}
	index := filepath.Join(root, indexName)
	before, err := os.ReadFile(index)
	switch {
	case err == nil && !bytes.Contains(before, ours):
		return nil, fmt.Errorf("write the page: %s is there, and was not written by Treewright: move it away", index)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("write the page: %w", err)
	}
	var wrote []string
	write := func(path string, content []byte) error {
		if err := layer.WriteFile(path, content, 0o644); err != nil {
			return fmt.Errorf("write the page: %w", err)
		}
		wrote = append(wrote, path)
		return nil
	}
	for _, f := range list.flavours {
		if f.artifact(publish.SummaryName) != nil {
			continue // the page does not name it then
		}
		// What the page links to is there before it.
		if err := write(filepath.Join(root, f.name, publish.SummaryName), f.summary.json()); err != nil {
			return wrote, err
		}
	}
	return wrote, write(index, list.html(view{base: base, report: func(name string) bool { return hasReport(dir, list.flavour(name)) }}))
}
