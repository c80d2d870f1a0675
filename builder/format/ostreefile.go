package format

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/treewright/treewright/builder/objects"
)

// OSTreeFile is what the object of a file has before the content.
type OSTreeFile struct {
	objects.Meta
	// Size is that of the content in bytes, which no checksum covers.
	Size uint64
	// Target is a symbolic link's.
	Target string
}

// Link reports whether the file is a symbolic link.
func (f *OSTreeFile) Link() bool { return f.Mode&0o170000 == 0o120000 }

// ReadOSTreeHeader reads the beginning of a file's object of an archive repository. The
// content is not looked at, so the checksum of the object is not either.
func ReadOSTreeHeader(r io.Reader) (*OSTreeFile, error) {
	header, err := readFileHeader(r)
	if err != nil {
		return nil, err
	}
	const target = 24
	framing := offsetSize(len(header))
	at := readOffset(header[len(header)-framing:])
	if at < target || at > len(header)-framing {
		return nil, errFilez
	}
	f := &OSTreeFile{Size: binary.BigEndian.Uint64(header)}
	f.UID, f.GID, f.Mode = binary.BigEndian.Uint32(header[8:]), binary.BigEndian.Uint32(header[12:]), binary.BigEndian.Uint32(header[16:])
	if f.Target, err = gvariantString(header[target:at]); err != nil {
		return nil, errFilez
	}
	f.Xattrs, err = readXattrs(header[at : len(header)-framing])
	return f, err
}

// ParseOSTreeMeta reads a dirmeta object: a serialised GVariant of type (uuua(ayay)), see
// ostree-core.h (OSTREE_DIRMETA_GVARIANT_FORMAT).
func ParseOSTreeMeta(b []byte) (*objects.Meta, error) {
	const xattrs = 12
	if len(b) < xattrs {
		return nil, errDirTree
	}
	m := &objects.Meta{UID: binary.BigEndian.Uint32(b), GID: binary.BigEndian.Uint32(b[4:]), Mode: binary.BigEndian.Uint32(b[8:])}
	var err error
	m.Xattrs, err = readXattrs(b[xattrs:])
	return m, err
}

// readXattrs reads an a(ayay): names, each with a zero byte at its end, and values.
func readXattrs(b []byte) (map[string]string, error) {
	entries, err := gvariantArray(b, 1)
	if err != nil || len(entries) == 0 {
		return nil, err
	}
	xattrs := map[string]string{}
	for _, e := range entries {
		size := offsetSize(len(e))
		if len(e) < size {
			return nil, errGVariant
		}
		end := readOffset(e[len(e)-size:])
		if end > len(e)-size {
			return nil, errGVariant
		}
		name, err := gvariantString(e[:end])
		if err != nil {
			return nil, err
		}
		xattrs[name] = string(e[end : len(e)-size])
	}
	return xattrs, nil
}

// ParseOSTreeSummary returns the refs that a summary file lists, with their commits in
// hexadecimal: a serialised GVariant of type (a(s(taya{sv}))a{sv}), see ostree-core.h
// (OSTREE_SUMMARY_GVARIANT_FORMAT).
func ParseOSTreeSummary(b []byte) (map[string]string, error) {
	size := offsetSize(len(b))
	if len(b) < size {
		return nil, errSummary
	}
	end := readOffset(b[len(b)-size:])
	if end > len(b)-size {
		return nil, errSummary
	}
	entries, err := gvariantArray(b[:end], 8)
	if err != nil {
		return nil, errSummary
	}
	refs := map[string]string{}
	for _, e := range entries {
		// The value has the commit's size, then its checksum.
		const size, sum = 8, 32
		ref, value, err := gvariantEntry(e)
		if err != nil || len(value) < size+sum {
			return nil, errSummary
		}
		refs[ref] = fmt.Sprintf("%x", value[size:size+sum])
	}
	return refs, nil
}

var errSummary = errors.New("not the summary of an OSTree repository")
