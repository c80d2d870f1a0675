package format

import (
	"regexp"
	"testing"
)

func TestGPT(t *testing.T) {
	table := GPT{DiskID: "d1"}
	if got := table.Add(TypeESP, "e1", "ESP", 64<<20); got != 1<<20 {
		t.Errorf("the first partition begins at %d", got)
	}
	// A size that is not a multiple of the alignment is rounded up.
	if got := table.Add(TypeRootAMD64, "r1", "ROOT", 100<<20+1); got != 65<<20 {
		t.Errorf("the second partition begins at %d", got)
	}
	if got := table.Size(); got != (65+101+1)<<20 {
		t.Errorf("the disk has %d bytes", got)
	}
	want := `label: gpt
label-id: d1
unit: sectors
sector-size: 512
first-lba: 2048

start=2048, size=131072, type=c12a7328-f81f-11d2-ba4b-00a0c93ec93b, uuid=e1, name="ESP"
start=133120, size=206848, type=4f68bce3-e8cd-4db1-96e7-fbcaf984b709, uuid=r1, name="ROOT"
`
	if got := table.Script(); got != want {
		t.Errorf("got script\n%s\nwant\n%s", got, want)
	}
}

func TestUUID(t *testing.T) {
	shape := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	a, b := UUID("disk", "debian"), UUID("diskd", "ebian")
	if !shape.MatchString(a) || !shape.MatchString(b) {
		t.Errorf("%s or %s is not a UUID of version 8", a, b)
	}
	if a == b {
		t.Error("names that differ only in where one ends give the same UUID")
	}
	if a != UUID("disk", "debian") {
		t.Error("the same names give two UUIDs")
	}
}
