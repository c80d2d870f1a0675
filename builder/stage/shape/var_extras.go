package shape

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"

	"github.com/treewright/treewright/builder/format"
	"github.com/treewright/treewright/builder/treefs"
)

// extras are the rules for what a copy from the factory does not carry: ACLs.
// What no rule can carry is noted: capabilities of files are a fault, as the
// program would run without them; hard links and holes cost space alone.
func (v *varRules) extras(i item) (string, error) {
	if i.kind() == 'L' {
		return "", nil
	}
	if i.kind() == 'C' {
		capability, err := treefs.Attribute(i.path, "security.capability")
		if err != nil {
			return "", err
		}
		if capability != nil {
			v.faults = append(v.faults, i.name+" has capabilities (setcap), which are lost when a machine copies it to /var: put the program below /usr or /opt")
		}
		st := i.info.Sys().(*syscall.Stat_t)
		if st.Nlink > 1 {
			v.linked[st.Ino] = append(v.linked[st.Ino], i.name)
		}
		if st.Size-st.Blocks*512 >= 1<<20 {
			v.sparse = append(v.sparse, i.name)
		}
	}
	var entries []string
	for _, a := range []struct{ attr, prefix string }{{"system.posix_acl_access", ""}, {"system.posix_acl_default", "default:"}} {
		raw, err := treefs.Attribute(i.path, a.attr)
		if err != nil {
			return "", err
		}
		list, err := v.aclText(raw, a.prefix)
		if err != nil {
			return "", fmt.Errorf("%s of %s: %w", a.attr, i.name, err)
		}
		entries = append(entries, list...)
	}
	if len(entries) == 0 {
		return "", nil
	}
	// The path of this rule is a pattern.
	pattern := strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(i.name)
	return "a " + format.EscapeTmpfiles(pattern) + " - - - - " + strings.Join(entries, ",") + "\n", nil
}

// tellLosses describes what is the same on a machine, but takes more space.
func (v *varRules) tellLosses() {
	var linked []string
	for _, names := range v.linked {
		if len(names) > 1 {
			linked = append(linked, strings.Join(names, " = "))
		}
	}
	slices.Sort(linked)
	if len(linked) > 0 {
		v.warn("hard links in /var become separate files on a machine: %s", shortList(linked))
	}
	if len(v.sparse) > 0 {
		v.warn("files with holes in /var take their whole size on a machine: %s", shortList(v.sparse))
	}
}

// aclText writes an ACL as acl(5) has it, an entry an element, from the form in
// which Linux keeps it: a version, then for each entry its tag, its
// permissions and an id (linux/posix_acl_xattr.h).
func (v *varRules) aclText(raw []byte, prefix string) ([]string, error) {
	if raw == nil {
		return nil, nil
	}
	if len(raw)%8 != 4 || binary.LittleEndian.Uint32(raw) != 2 {
		return nil, errors.New("not an ACL of version 2")
	}
	tags := map[uint16]string{1: "user:", 2: "user:", 4: "group:", 8: "group:", 16: "mask:", 32: "other:"}
	var list []string
	for e := raw[4:]; len(e) > 0; e = e[8:] {
		tag, bits, id := binary.LittleEndian.Uint16(e), binary.LittleEndian.Uint16(e[2:]), binary.LittleEndian.Uint32(e[4:])
		who := ""
		switch tag {
		case 2:
			who = treefs.OwnerName(v.names.Users, id)
		case 8:
			who = treefs.OwnerName(v.names.Groups, id)
		}
		if tags[tag] == "" {
			return nil, fmt.Errorf("unknown tag %d", tag)
		}
		perm := []byte("---")
		for n, c := range "rwx" {
			if bits&(4>>n) != 0 {
				perm[n] = byte(c)
			}
		}
		list = append(list, prefix+tags[tag]+who+":"+string(perm))
	}
	return list, nil
}
