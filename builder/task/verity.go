package task

import (
	"strconv"

	"github.com/treewright/treewright/builder/format"
)

// Facts of a step that made a disk image with dm-verity.
const (
	rootHashFact    = "verity-root-hash"
	dataAtFact      = "verity-data-at"
	signatureAtFact = "verity-signature-at"
)

// NoteVerity notes what is to be signed of the image that the step made.
func (t *Task) NoteVerity(v format.Verity) {
	t.Facts[rootHashFact] = v.RootHash
	t.Facts[dataAtFact] = strconv.FormatInt(v.DataAt, 10)
	if v.SignatureAt != 0 {
		t.Facts[signatureAtFact] = strconv.FormatInt(v.SignatureAt, 10)
	}
}

// VerityOf returns what [Task.NoteVerity] noted; ok reports whether a step noted anything.
func VerityOf(facts map[string]string) (v format.Verity, ok bool) {
	v.RootHash, ok = facts[rootHashFact]
	v.DataAt, _ = strconv.ParseInt(facts[dataAtFact], 10, 64)
	v.SignatureAt, _ = strconv.ParseInt(facts[signatureAtFact], 10, 64)
	return v, ok
}
