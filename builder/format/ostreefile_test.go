package format

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/objects"
)

func TestReadOSTreeHeader(t *testing.T) {
	f, err := ReadOSTreeHeader(bytes.NewReader(read(t, "passwd.filez")))
	want := &OSTreeFile{Meta: objects.Meta{UID: 5, GID: 7, Mode: 0o100640, Xattrs: map[string]string{"user.note": strings.Repeat("x", 300)}}, Size: 32}
	if err != nil || !reflect.DeepEqual(f, want) {
		t.Errorf("passwd: %+v, %v", f, err)
	}
	l, err := ReadOSTreeHeader(bytes.NewReader(read(t, "link.filez")))
	if err != nil || !l.Link() || l.Target == "" {
		t.Errorf("link: %+v, %v", l, err)
	}
	raw := read(t, "passwd.filez")
	for i := range 60 {
		if _, err := ReadOSTreeHeader(bytes.NewReader(raw[:i])); err == nil {
			t.Errorf("the first %d bytes count as a file", i)
		}
	}
}

func TestParseOSTreeMeta(t *testing.T) {
	plain := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, 3), 4), 0o42755)
	m, err := ParseOSTreeMeta(plain)
	if want := (&objects.Meta{UID: 3, GID: 4, Mode: 0o42755}); err != nil || !reflect.DeepEqual(m, want) {
		t.Errorf("%+v, %v", m, err)
	}
	// One attribute: "user.a\0", "b", the end of the name, the end of the entry.
	entry := append([]byte("user.a\x00b"), 7)
	m, err = ParseOSTreeMeta(append(append(plain, entry...), byte(len(entry))))
	if err != nil || m.Xattrs["user.a"] != "b" || len(m.Xattrs) != 1 {
		t.Errorf("%+v, %v", m, err)
	}
	for _, bad := range []string{"", "short", string(plain) + "\x09", string(plain) + "ab\x05"} {
		if m, err := ParseOSTreeMeta([]byte(bad)); err == nil {
			t.Errorf("%q is %+v", bad, m)
		}
	}
}

func TestParseOSTreeSummary(t *testing.T) {
	raw := read(t, "summary")
	refs, err := ParseOSTreeSummary(raw)
	if err != nil || len(refs) == 0 {
		t.Fatal(refs, err)
	}
	for ref, sum := range refs {
		if ref == "" || len(sum) != 64 || !bytes.Contains(raw, []byte(ref)) {
			t.Errorf("ref %q is %s", ref, sum)
		}
	}
	for i := range raw[:min(len(raw), 200)] {
		_, _ = ParseOSTreeSummary(raw[:i]) // it must not panic
	}
	if refs, err := ParseOSTreeSummary([]byte("not a summary")); err == nil {
		t.Errorf("rubbish has refs %v", refs)
	}
}
