package ostree

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/klauspost/compress/flate"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/objects"
)

// level is how well files are compressed. On programs, level 3 of this compressor is smaller
// than level 1 of zlib, in a third of the time. Another level, or another version of the
// module, gives other bytes: the action that commits then has another version.
const level = 3

// Lacks returns the names of the tree's objects that the repository does not have.
func (r Repository) Lacks(d *Contents) ([]string, error) {
	have, err := r.stored()
	if err != nil {
		return nil, err
	}
	var lacks []string
	for name := range d.files {
		if !have[name] {
			lacks = append(lacks, name)
		}
	}
	for name := range d.plain {
		if !have[name] {
			lacks = append(lacks, name)
		}
	}
	slices.Sort(lacks)
	return lacks, nil
}

// Write puts objects of the tree into the repository, which does not have them, on all
// cores. No other process may read the repository meanwhile. counted is called now and then with how many
// are done.
func (r Repository) Write(ctx context.Context, d *Contents, names []string, counted func(done int)) error {
	if err := r.makePrefixes(names); err != nil {
		return err
	}
	// Listings are there before what leads to them only if all is there at the end; a
	// repository that is not whole is thrown away with its draft.
	var (
		mu   sync.Mutex
		done int
	)
	return layer.OnAllCores(len(names), func(i int) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.write(d, names[i]); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		if done++; done%64 == 0 {
			counted(done)
		}
		return nil
	})
}

func (r Repository) write(d *Contents, name string) error {
	out, err := os.OpenFile(filepath.Join(r.dir, ObjectPath(name)), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer out.Close()
	if plain, ok := d.plain[name]; ok {
		_, err = out.Write(plain)
	} else {
		err = d.deflate(out, d.files[name], strings.TrimSuffix(name, ".filez"))
	}
	return errors.Join(err, out.Close())
}

// compressor is what a file is compressed with.
type compressor struct {
	flate  *flate.Writer
	out    bytes.Buffer
	buffer [256 << 10]byte
}

var compressors = sync.Pool{New: func() any {
	c := &compressor{}
	c.flate, _ = flate.NewWriter(&c.out, level) // fails for other levels only
	return c
}}

// deflate writes a file's object. The file must have the checksum that its layer's index gives.
func (d *Contents) deflate(out io.Writer, f file, sum string) error {
	meta, err := d.metaOf(f.path, f.Node)
	if err != nil {
		return err
	}
	link, size := f.Target != "", f.Size
	if link {
		size = 0 // of the content, which a link does not have
	}
	if _, err := out.Write(objects.ArchiveHeader(meta, f.Target, size)); err != nil || link {
		return err
	}
	in, err := os.Open(filepath.Join(d.dir, f.path))
	if err != nil {
		return err
	}
	defer in.Close()
	c := compressors.Get().(*compressor)
	defer compressors.Put(c)
	c.flate.Reset(out)
	h := objects.FileSum(meta, "")
	// Not io.Copy, which has a buffer of its own for each file.
	if _, err := io.CopyBuffer(io.MultiWriter(h, c.flate), struct{ io.Reader }{in}, c.buffer[:]); err != nil {
		return fmt.Errorf("compress %s: %w", f.path, err)
	}
	if err := c.flate.Close(); err != nil {
		return fmt.Errorf("compress %s: %w", f.path, err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != sum {
		return fmt.Errorf("%s has the checksum %s, but the index of its layer leads to %s", f.path, got, sum)
	}
	return nil
}

// AddBareCommit writes a commit that has only the tree, from which ostree makes a
// commit, and returns its checksum. remove removes it.
func (r Repository) AddBareCommit(d *Contents) (sum string, remove func() error, err error) {
	contents, meta, _ := strings.Cut(d.Tree, ".")
	commit, err := objects.BareCommit(contents, meta)
	if err != nil {
		return "", nil, err
	}
	sum = objects.Sum(commit)
	file := filepath.Join(r.dir, object(sum, "commit"))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return "", nil, err
	}
	return sum, func() error { return os.Remove(file) }, os.WriteFile(file, commit, 0o644)
}

// stored returns the names of all objects that the repository has.
func (r Repository) stored() (map[string]bool, error) {
	have := map[string]bool{}
	dirs, err := os.ReadDir(filepath.Join(r.dir, "objects"))
	if err != nil {
		return nil, err
	}
	for _, dir := range dirs {
		files, err := os.ReadDir(filepath.Join(r.dir, "objects", dir.Name()))
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			have[dir.Name()+f.Name()] = true
		}
	}
	return have, nil
}
