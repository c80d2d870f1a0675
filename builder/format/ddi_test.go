package format

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestDDI(t *testing.T) {
	d := DDI{Arch: "amd64", Name: "debug", Seed: "1", Data: "/scratch/debug.squashfs", Size: 4097}
	files := d.Definitions()
	if names := slices.Sorted(maps.Keys(files)); !slices.Equal(names, []string{"10-root.conf", "20-hash.conf"}) {
		t.Errorf("unsigned: %v", names)
	}
	for _, line := range []string{"Type=root-x86-64", "CopyBlocks=/scratch/debug.squashfs", "SizeMinBytes=8192", "SizeMaxBytes=8192", "Verity=data", "VerityMatchKey=root"} {
		if !slices.Contains(strings.Split(files["10-root.conf"], "\n"), line) {
			t.Errorf("the root has no line %s:\n%s", line, files["10-root.conf"])
		}
	}
	d.Signed, d.Arch = true, "arm64"
	// Verity=signature would have systemd-repart ask for a key.
	if text := d.Definitions()["30-signature.conf"]; !strings.Contains(text, "Type=root-arm64-verity-sig\n") || !strings.Contains(text, "SizeMaxBytes=16384\n") || strings.Contains(text, "Verity=") {
		t.Errorf("the signature's partition is\n%s", text)
	}
}

func TestReadDDI(t *testing.T) {
	hash := strings.Repeat("0a", 32)
	root, hashes := `{"type":"root-x86-64","offset":1048576,"roothash":"`+hash+`"}`, `{"type":"root-x86-64-verity","offset":5,"roothash":"`+hash+`"}`
	signature := `{"type":"root-x86-64-verity-sig","offset":81920,"roothash":null}`
	for text, want := range map[string]Verity{
		"[" + root + "," + hashes + "]":                   {RootHash: hash, DataAt: 1048576},
		"[" + root + "," + hashes + "," + signature + "]": {RootHash: hash, DataAt: 1048576, SignatureAt: 81920},
		"[" + root + "]":                                  {},
		"":                                                {},
	} {
		got, err := ReadDDI([]byte(text))
		if got != want || (err == nil) != (want.RootHash != "") {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}
