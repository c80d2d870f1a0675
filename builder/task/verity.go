package task

import (
	"strconv"

	"github.com/treewright/treewright/builder/format"
)

// Facts of a step that made a disk image with dm-verity.
const (
	rootHashFact    = "verity-root-hash"
	signatureAtFact = "verity-signature-at"
)

// NoteVerity notes what is to be signed of the image that the step made.
func (t *Task) NoteVerity(v format.Verity) {
	t.Facts[rootHashFact] = v.RootHash
	if v.SignatureAt != 0 {
		t.Facts[signatureAtFact] = strconv.FormatInt(v.SignatureAt, 10)
	}
}

// VerityOf returns what [Task.NoteVerity] noted; ok reports whether a step noted anything.
func VerityOf(facts map[string]string) (v format.Verity, ok bool) {
	v.RootHash, ok = facts[rootHashFact]
	v.SignatureAt, _ = strconv.ParseInt(facts[signatureAtFact], 10, 64)
	return v, ok
}
