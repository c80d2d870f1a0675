package source

import "sync"

// Known has sources that were imported before. Its zero value has none.
type Known struct{ sources sync.Map }
