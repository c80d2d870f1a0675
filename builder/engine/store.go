package engine

import (
	"context"
	"io"

	"github.com/treewright/treewright/builder/layer"
)

// Store keeps results by their keys. [layer.Store] has them on a disk of this
// machine. Steps work on directories of this machine: so one that keeps results
// elsewhere as well has a store on the disk inside, and carries them by Pack and
// Unpack.
type Store interface {
	// Get returns what is known of a result, and false if there is none.
	Get(key string) (r layer.Result, ok bool, err error)
	// Sound reports whether there is a result, and it is as it was made; a damaged one
	// does not count from then on. If the result does not exist any more, why is the reason.
	Sound(key string) (ok bool, why string, err error)
	// Recheck is an error if a result that was opened is not the same any more.
	Recheck(key string) error
	// Touch notes that a result was of use.
	Touch(key string)
	// Lock makes sure that no other process makes the result. waiting is called if
	// one does.
	Lock(ctx context.Context, key string, waiting func()) (unlock func(), err error)
	// Open returns the directory with a result's data.
	Open(key string) (dir string, err error)
	// Begin returns directories for a result in the making. Put keeps it, and returns
	// what is known of it then.
	Begin(key string) (*layer.Draft, error)
	Put(d *layer.Draft, r layer.Result) (layer.Result, error)
	// Looks returns what steps of a kind looked at, the newest first. CopyInto fills a draft with
	// the data and the log of a result, and returns its record.
	Looks(kind string) ([]*layer.Looks, error)
	CopyInto(d *layer.Draft, key string) (layer.Result, error)
	// Index returns a digest of a result's data, without times. Condemn makes a result count no more.
	Index(key string) (string, error)
	Condemn(d *layer.Damage) error
	// Content returns a digest of a result's data, with times.
	Content(key string) (string, error)
	// Pack writes a result as one stream, and Unpack stores what Pack wrote, in this
	// store or another, if it is the result of the key.
	Pack(w io.Writer, key string) error
	Unpack(r io.Reader, key string) (layer.Result, error)
}

var _ Store = (*layer.Store)(nil)
