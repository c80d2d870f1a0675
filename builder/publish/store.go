package publish

import "github.com/treewright/treewright/builder/layer"

// Store has the results that are published, by their keys. [layer.Store] is one.
type Store interface {
	// Get returns what is known of a result, and false if there is none. Open returns
	// the directory with its data, and Log what was said while it was made.
	Get(key string) (r layer.Result, ok bool, err error)
	Open(key string) (dir string, err error)
	Log(key string) ([]byte, error)
	// Check is a *[layer.Damage] if a result is not as it was made, as far as a quick
	// look tells; Verify reads all of it. A condemned result is made again.
	Check(key string) error
	Verify(key string) error
	Condemn(d *layer.Damage) error
}
