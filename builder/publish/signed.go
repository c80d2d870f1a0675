package publish

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/format"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/verity"
)

// signature returns what is to be written into an artifact of a step, and where; nil if it
// has no partition for a signature.
func (f *Finished) signature(ctx context.Context, r layer.Result, a plan.Artifact, published string) ([]byte, format.Verity, error) {
	v, ok := task.VerityOf(r.Facts)
	if !ok || v.SignatureAt == 0 || a.Kind != plan.FileArtifact {
		return nil, v, nil
	}
	if f.Unsigned {
		f.Manifest.noteUnsigned(a.Name)
		return nil, v, nil
	}
	if f.SignVerity == nil {
		return nil, v, errors.New("it is to be signed, and there is no key")
	}
	block, err := f.SignVerity(ctx, v.RootHash, readAt(published, v.SignatureAt))
	return block, v, err
}

// readAt reads the partition of a signature of a file, nil if that cannot be read.
func readAt(file string, at int64) []byte {
	in, err := os.OpenFile(file, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	defer in.Close()
	block := make([]byte, verity.PartitionSize)
	if _, err := in.ReadAt(block, at); err != nil {
		return nil
	}
	return block
}

// writeAt writes the partition of a signature into a file.
func writeAt(file string, block []byte, at int64) error {
	out, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if _, err := out.WriteAt(block, at); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// noteUnsigned notes in the manifest that an artifact lacks the signature that it is to have.
func (m *Manifest) noteUnsigned(name string) {
	for i, a := range m.Artifacts {
		if a.Name == name {
			m.Artifacts[i].Description += ", but not in this build"
		}
	}
}

// noteSigned notes in the manifest the sum that an artifact has with its signature, of the file
// that is published or about to be.
func (m *Manifest) noteSigned(name, file string) error {
	sum, err := layer.HashFile(file)
	if err != nil {
		return err
	}
	for i, a := range m.Artifacts {
		if a.Name == name {
			m.Artifacts[i].SHA256 = sum
		}
	}
	return nil
}
