package format

import (
	"slices"
	"strings"
	"testing"
)

func TestExt4Argv(t *testing.T) {
	argv := Ext4{Label: "ROOT", UUID: "u", HashSeed: "s", Offset: 68157440, Size: 8 << 20}.Argv("/from", "/disk")
	line := strings.Join(argv, " ")
	for _, want := range []string{"offset=68157440", "hash_seed=s", "-U u", "-L ROOT", "-d /from /disk"} {
		if !strings.Contains(line, want) {
			t.Errorf("%s lacks %s", line, want)
		}
	}
	if got := argv[len(argv)-1]; got != "2048" {
		t.Errorf("the size is %s blocks, want 2048", got)
	}
	// GRUB could not read these.
	at := slices.Index(argv, "-O")
	for _, feature := range []string{"^orphan_file", "^metadata_csum_seed"} {
		if !strings.Contains(argv[at+1], feature) {
			t.Errorf("features %s lack %s", argv[at+1], feature)
		}
	}
}

func TestExt4Usage(t *testing.T) {
	var u Ext4Usage
	u.AddFile(0)
	u.AddFile(1)
	u.AddFile(4096)
	u.AddFile(4097)
	u.AddLink(59)
	u.AddLink(60)
	u.AddDirectory([]string{"a"})
	// 300 entries of 20 bytes are more than a block.
	names := make([]string, 300)
	for i := range names {
		names[i] = "twelve chars"
	}
	u.AddDirectory(names)
	want := Ext4Usage{Bytes: (0 + 1 + 1 + 2 + 0 + 1 + 1 + 2) * 4096, Inodes: 8}
	if u != want {
		t.Errorf("got %+v, want %+v", u, want)
	}
}

func TestExt4Size(t *testing.T) {
	const mib = 1 << 20
	u := Ext4Usage{Bytes: 500 * mib, Inodes: 15000}
	size := u.Size(1024 * mib)
	if size%mib != 0 {
		t.Errorf("%d is not a multiple of a MiB", size)
	}
	// What is left when content, journal and inodes are in must be what was
	// asked for, and not much more.
	left := size - u.Bytes - 64*mib - size/64
	if left < 1024*mib || left > 1060*mib {
		t.Errorf("a size of %d leaves %d MiB", size, left/mib)
	}
	// Many empty files need inodes, not blocks.
	u = Ext4Usage{Inodes: 1 << 20}
	if size := u.Size(0); size/16384 < u.Inodes {
		t.Errorf("%d bytes come with %d inodes, want %d", size, size/16384, u.Inodes)
	}
}
