package cache

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/layer"
)

// sizes are what was measured of directories, by paths below the cache, and how
// much results took, by flavours and steps. To measure takes a look at every
// file, and most directories never change. It is a memory, no more: what cannot
// be read, or was lost, is measured again.
type sizes struct {
	Dirs  map[string]size  `json:"dirs"`
	Steps map[string]int64 `json:"steps"`
	// Made are the results of steps of which only some are kept, the newest first, by flavours
	// and steps.
	Made map[string][]string `json:"made,omitempty"`

	news bool
	seen map[string]bool
}

// size is that of a directory with an identity. Shared means that there are
// files in it with names elsewhere, which are not counted.
type size struct {
	Identity string `json:"identity"`
	Bytes    int64  `json:"bytes"`
	Shared   bool   `json:"shared,omitempty"`
}

func (c *Cache) readSizes() *sizes {
	s := &sizes{}
	raw, err := os.ReadFile(c.path("sizes.json"))
	if err != nil || json.Unmarshal(raw, s) != nil {
		s = &sizes{news: true}
	}
	if s.Dirs == nil {
		s.Dirs = map[string]size{}
	}
	if s.Steps == nil {
		s.Steps = map[string]int64{}
	}
	if s.Made == nil {
		s.Made = map[string][]string{}
	}
	s.seen = map[string]bool{}
	return s
}

// save writes down what is new, without what nobody asked for since it was read:
// that is gone.
func (s *sizes) save(c *Cache) {
	for rel := range s.Dirs {
		if !s.seen[rel] {
			delete(s.Dirs, rel)
			s.news = true
		}
	}
	if !s.news {
		return
	}
	raw, err := json.Marshal(s)
	if err != nil {
		return
	}
	// If it cannot be written, the sizes are counted again.
	_ = layer.WriteFile(c.path("sizes.json"), raw, 0o644)
}

// of returns the size of a directory of the cache. One in which names come and go
// is measured again when some have.
func (s *sizes) of(c *Cache, rel string, changing bool, measure func(dir string) (bytes int64, shared bool)) size {
	var st unix.Stat_t
	if unix.Lstat(c.path(rel), &st) != nil {
		return size{}
	}
	identity := strconv.FormatUint(st.Ino, 10)
	if changing {
		identity += " " + strconv.FormatInt(st.Mtim.Nano(), 10)
	}
	s.seen[rel] = true
	known, ok := s.Dirs[rel]
	if !ok || known.Identity != identity {
		known = size{Identity: identity}
		known.Bytes, known.Shared = measure(c.path(rel))
		s.Dirs[rel], s.news = known, true
	}
	return known
}

// resultDir is where a result is, below the cache.
func resultDir(key string) string { return filepath.Join("store", "results", key) }
