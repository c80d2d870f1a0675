package stage

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/layer"
)

// stamp is what tells that a file was not touched since it was read.
type stamp struct{ Size, Modified, Changed, Inode, Links int64 }

// touched says whether a file that had the stamp s may have another content now
// that it has the stamp t. The time of the last change to the inode tells of
// writes that hide behind a time of modification that was set back. It also
// changes when a hard link comes or goes, which the cache's do: then it counts
// for nothing.
func (s stamp) touched(t stamp) bool {
	return s.Size != t.Size || s.Modified != t.Modified || s.Inode != t.Inode || s.Changed != t.Changed && s.Links == t.Links
}

// stampOf looks at a file below the open directory dir.
func stampOf(dir int, name string) (stamp, error) {
	var st unix.Stat_t
	if err := unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return stamp{}, err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return stamp{}, fs.ErrInvalid
	}
	return stamp{st.Size, st.Mtim.Nano(), st.Ctim.Nano(), int64(st.Ino), int64(st.Nlink)}, nil
}

// record is what is known of a repository: that all objects that these refs
// lead to were read and are whole, and how their files looked then.
type record struct {
	refs    map[string]string
	objects map[string]stamp // by name, SUM.KIND
}

const recordHead = "treewright objects 1\n"

// kinds are the kinds of objects, detached metadata among them, as a record
// numbers them.
var kinds = []string{"commit", "dirtree", "dirmeta", "filez", detached}

// entrySize is the size of one object in a record.
const entrySize = sha256.Size + 1 + 5*8

// readRecord reads a record. One that is not there, or not whole, is an empty
// one: all objects are read then.
func readRecord(path string) *record {
	empty := &record{refs: map[string]string{}, objects: map[string]stamp{}}
	raw, err := os.ReadFile(path)
	if err != nil || len(raw) < sha256.Size {
		return empty
	}
	body, sum := raw[:len(raw)-sha256.Size], raw[len(raw)-sha256.Size:]
	if got := sha256.Sum256(body); !bytes.Equal(got[:], sum) || !bytes.HasPrefix(body, []byte(recordHead)) {
		return empty
	}
	body = body[len(recordHead):]
	refs, entries, ok := bytes.Cut(body, []byte("\n\n"))
	if !ok || len(entries)%entrySize != 0 {
		return empty
	}
	r := &record{refs: map[string]string{}, objects: make(map[string]stamp, len(entries)/entrySize)}
	for line := range strings.Lines(string(refs)) {
		sum, ref, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		r.refs[ref] = sum
	}
	for ; len(entries) > 0; entries = entries[entrySize:] {
		name := hex.EncodeToString(entries[:sha256.Size]) + "." + kinds[int(entries[sha256.Size])%len(kinds)]
		at := entries[sha256.Size+1:]
		var v [5]int64
		for i := range v {
			v[i] = int64(binary.LittleEndian.Uint64(at[8*i:]))
		}
		r.objects[name] = stamp{v[0], v[1], v[2], v[3], v[4]}
	}
	return r
}

// write writes the record to path, whose directory is made if needed.
func (r *record) write(path string) error {
	var b bytes.Buffer
	b.WriteString(recordHead)
	for _, ref := range sortedKeys(r.refs) {
		fmt.Fprintf(&b, "%s %s\n", r.refs[ref], ref)
	}
	b.WriteString("\n")
	for name, s := range r.objects {
		sum, kind, _ := strings.Cut(name, ".")
		raw, err := hex.DecodeString(sum)
		if err != nil {
			return fmt.Errorf("record the objects of a repository: %q is no object", name)
		}
		b.Write(raw)
		for i, k := range kinds {
			if k == kind {
				b.WriteByte(byte(i))
			}
		}
		for _, v := range []int64{s.Size, s.Modified, s.Changed, s.Inode, s.Links} {
			b.Write(binary.LittleEndian.AppendUint64(nil, uint64(v)))
		}
	}
	sum := sha256.Sum256(b.Bytes())
	b.Write(sum[:])
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("record the objects of a repository: %w", err)
	}
	if err := layer.WriteFile(path, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("record the objects of a repository: %w", err)
	}
	return nil
}

// look compares the objects of a record with what lies in the repository now:
// stamps of those that nobody touched. It reads no content.
func (r *record) look(repo repository) (map[string]stamp, error) {
	dir, err := unix.Open(filepath.Join(repo.dir, "objects"), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: filepath.Join(repo.dir, "objects"), Err: err}
	}
	defer unix.Close(dir)
	names := make([]string, 0, len(r.objects))
	for name := range r.objects {
		names = append(names, name)
	}
	var (
		wg     sync.WaitGroup
		shares = make([]map[string]stamp, runtime.NumCPU())
	)
	for i := range shares {
		part := names[len(names)*i/len(shares) : len(names)*(i+1)/len(shares)]
		wg.Go(func() {
			shares[i] = make(map[string]stamp, len(part))
			for _, name := range part {
				if now, err := stampOf(dir, objectPath(name)[len("objects/"):]); err == nil && !r.objects[name].touched(now) {
					shares[i][name] = now
				}
			}
		})
	}
	wg.Wait()
	same := make(map[string]stamp, len(names))
	for _, share := range shares {
		maps.Copy(same, share)
	}
	return same, nil
}
