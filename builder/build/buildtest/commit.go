package buildtest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/treewright/treewright/builder/plan"
)

// epoch is when all packages were built.
const epoch = 1700000000

// commitParams is what a commit step says of its commit.
type commitParams struct {
	Ref, Subject, Parent string
	Metadata             map[string]string
}

// commit makes a repository with the history of a commit step and its commit, of
// an empty tree, and returns the step's facts.
func commit(repo string, s *plan.Step) (map[string]string, error) {
	var p commitParams
	if err := json.Unmarshal(s.Params, &p); err != nil {
		return nil, fmt.Errorf("what step %s commits: %w", s.ID, err)
	}
	for _, src := range s.Sources {
		if err := os.CopyFS(filepath.Join(repo, "objects"), os.DirFS(filepath.Join(src.Path, "objects"))); err != nil {
			return nil, err
		}
	}
	facts := map[string]string{"ref": p.Ref, "parent": p.Parent, "version": "20231114"}
	if p.Parent != "" {
		facts["version"] = "20231114.1"
	}
	p.Metadata["version"] = facts["version"]
	// An empty directory of root's, with mode 0755.
	meta := binary.BigEndian.AppendUint32(make([]byte, 8), 0o40755)
	tree, err := object(repo, []byte{0}, "dirtree")
	if err != nil {
		return nil, err
	}
	root, err := object(repo, meta, "dirmeta")
	if err != nil {
		return nil, err
	}
	parent, err := hex.DecodeString(p.Parent)
	if err != nil {
		return nil, err
	}
	head, err := object(repo, commitObject(p, parent, tree, root), "commit")
	if err != nil {
		return nil, err
	}
	facts["commit"] = hex.EncodeToString(head)
	for name, text := range map[string]string{
		"config": "[core]\nrepo_version=1\nmode=archive-z2\n", "refs/heads/" + p.Ref: facts["commit"] + "\n", "summary": "of " + facts["commit"] + "\n",
	} {
		path := filepath.Join(repo, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	return facts, nil
}

// object writes an object and returns its checksum.
func object(repo string, content []byte, kind string) ([]byte, error) {
	sum := sha256.Sum256(content)
	name := hex.EncodeToString(sum[:])
	path := filepath.Join(repo, "objects", name[:2], name[2:]+"."+kind)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	return sum[:], os.WriteFile(path, content, 0o644)
}

// commitObject serialises a commit: a GVariant of type (a{sv}aya(say)sstayay).
func commitObject(p commitParams, parent, tree, root []byte) []byte {
	var b bytes.Buffer
	var ends []int
	member := func(content []byte) {
		b.Write(content)
		ends = append(ends, b.Len())
	}
	member(dictionary(p.Metadata))
	member(parent)
	member(nil) // related objects
	member([]byte(p.Subject + "\x00"))
	member([]byte("\x00")) // body
	pad(&b)
	_ = binary.Write(&b, binary.BigEndian, uint64(epoch))
	member(tree)
	b.Write(root)
	slices.Reverse(ends)
	return framed(b.Bytes(), ends)
}

// dictionary serialises an a{sv} whose values are strings.
func dictionary(values map[string]string) []byte {
	var b bytes.Buffer
	var ends []int
	for _, key := range slices.Sorted(maps.Keys(values)) {
		pad(&b)
		var entry bytes.Buffer
		entry.WriteString(key + "\x00")
		end := entry.Len()
		pad(&entry)
		entry.WriteString(values[key] + "\x00\x00s")
		b.Write(framed(entry.Bytes(), []int{end}))
		ends = append(ends, b.Len())
	}
	return framed(b.Bytes(), ends)
}

// pad fills up to a multiple of eight.
func pad(b *bytes.Buffer) {
	for b.Len()%8 != 0 {
		b.WriteByte(0)
	}
}

// framed adds the offsets at which members end, in as few bytes each as the whole
// allows.
func framed(content []byte, ends []int) []byte {
	size := 1
	if len(content)+len(ends) > 255 {
		size = 2
	}
	for _, end := range ends {
		for i := range size {
			content = append(content, byte(end>>(8*i)))
		}
	}
	return content
}
