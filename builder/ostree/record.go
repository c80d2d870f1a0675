package ostree

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
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/layer"
)

// stamp is what tells that a file was not touched since it was read.
type stamp struct{ Size, Modified, Changed, Inode, Links int64 }

// touched reports whether a file that had the stamp s may have another content now
// that it has the stamp t. The time of the last change to the inode tells of
// writes that are hidden by a time of modification that was set back. It also
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
	objects []seenObject // by name
}

// seenObject is an object, SUM.KIND, and its file as it was seen.
type seenObject struct {
	name string
	stamp
}

// newRecord makes a record of objects that are whole.
func newRecord(refs map[string]string, objects map[string]stamp) *record {
	r := &record{refs: refs, objects: make([]seenObject, 0, len(objects))}
	for _, name := range slices.Sorted(maps.Keys(objects)) {
		r.objects = append(r.objects, seenObject{name, objects[name]})
	}
	return r
}

// has reports whether an object is in the record.
func (r *record) has(name string) bool {
	_, ok := slices.BinarySearchFunc(r.objects, name, func(o seenObject, name string) int { return strings.Compare(o.name, name) })
	return ok
}

// stamps are the objects by name.
func (r *record) stamps() map[string]stamp {
	m := make(map[string]stamp, len(r.objects))
	for _, o := range r.objects {
		m[o.name] = o.stamp
	}
	return m
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
	empty := &record{}
	raw, err := os.ReadFile(path)
	if err != nil || len(raw) < sha256.Size {
		return empty
	}
	body, sum := raw[:len(raw)-sha256.Size], raw[len(raw)-sha256.Size:]
	if got := sha256.Sum256(body); !bytes.Equal(got[:], sum) || !bytes.HasPrefix(body, []byte(recordHead)) {
		return empty
	}
	// Without refs, the line's end before them is that of the head.
	refs, entries, ok := bytes.Cut(body[len(recordHead)-1:], []byte("\n\n"))
	if !ok || len(entries)%entrySize != 0 {
		return empty
	}
	r := &record{refs: map[string]string{}, objects: make([]seenObject, len(entries)/entrySize)}
	for line := range strings.Lines(strings.TrimPrefix(string(refs), "\n")) {
		sum, ref, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		r.refs[ref] = sum
	}
	for i := range r.objects {
		e := entries[i*entrySize:][:entrySize]
		var v [5]int64
		for j := range v {
			v[j] = int64(binary.LittleEndian.Uint64(e[sha256.Size+1+8*j:]))
		}
		kind := kinds[int(e[sha256.Size])%len(kinds)]
		r.objects[i] = seenObject{hex.EncodeToString(e[:sha256.Size]) + "." + kind, stamp{v[0], v[1], v[2], v[3], v[4]}}
	}
	return r
}

// write writes the record to path, whose directory is made if needed.
func (r *record) write(path string) error {
	var b bytes.Buffer
	b.WriteString(recordHead)
	for _, ref := range slices.Sorted(maps.Keys(r.refs)) {
		fmt.Fprintf(&b, "%s %s\n", r.refs[ref], ref)
	}
	b.WriteString("\n")
	for _, o := range r.objects {
		sum, kind, _ := strings.Cut(o.name, ".")
		raw, err := hex.DecodeString(sum)
		if err != nil {
			return fmt.Errorf("record the objects of a repository: %q is not an object", o.name)
		}
		b.Write(raw)
		b.WriteByte(byte(slices.Index(kinds, kind)))
		for _, v := range []int64{o.Size, o.Modified, o.Changed, o.Inode, o.Links} {
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

// look compares the objects of a record with what is in the repository now,
// and returns those that nobody touched, as they look now. It reads no content.
func (r *record) look(repo Repository) (*record, error) {
	dir, err := unix.Open(filepath.Join(repo.dir, "objects"), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: filepath.Join(repo.dir, "objects"), Err: err}
	}
	defer unix.Close(dir)
	now := make([]seenObject, len(r.objects))
	var wg sync.WaitGroup
	parts := runtime.NumCPU()
	for part := range parts {
		wg.Go(func() {
			for i := len(r.objects) * part / parts; i < len(r.objects)*(part+1)/parts; i++ {
				o := r.objects[i]
				if s, err := stampOf(dir, o.name[:2]+"/"+o.name[2:]); err == nil && !o.touched(s) {
					now[i] = seenObject{o.name, s}
				}
			}
		})
	}
	wg.Wait()
	now = slices.DeleteFunc(now, func(o seenObject) bool { return o.name == "" })
	return &record{refs: r.refs, objects: now}, nil
}
