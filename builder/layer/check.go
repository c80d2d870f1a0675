package layer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Damage is how a result differs from what was made: a disk, or somebody,
// changed it. A damaged result does not count as one; see [Store.Condemn].
type Damage struct {
	Key, Step string
	// Path is the first file that differs, How it does, and More how many others
	// do, as far as they were looked at.
	Path, How string
	More      int
}

func (d *Damage) Error() string {
	text := fmt.Sprintf("the result of %s in the cache is damaged: %s %s", d.Step, d.Path, d.How)
	if d.More > 0 {
		text += fmt.Sprintf(" (and %d more)", d.More)
	}
	return text
}

// Check reports whether a result is as it was made, for one that is to be used: a
// *[Damage] if not. It reads only what was changed since it was last read (see
// [seenFile]) and what is shared with others. A result that this process has
// made or checked is believed.
func (s *Store) Check(key string) error {
	if _, ok := s.good.Load(key); ok {
		return nil
	}
	return s.inspect(key, false)
}

// Verify is Check that believes nothing and reads everything.
func (s *Store) Verify(key string) error { return s.inspect(key, true) }

// Sound reports whether there is a result that is as it was made. A damaged one is
// condemned. If there is none any more, why says the reason.
func (s *Store) Sound(key string) (ok bool, why string, err error) {
	if _, ok, err = s.Get(key); err != nil {
		return false, "", err
	}
	if ok {
		err := s.Check(key)
		var damage *Damage
		if !errors.As(err, &damage) {
			return err == nil, "", err
		}
		if err := s.Condemn(damage); err != nil {
			return false, "", err
		}
	}
	return false, s.WhyNot(key), nil
}

func (s *Store) inspect(key string, all bool) error {
	r, ok, err := s.Get(key)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("check result: there is no result with the key %s", key)
	}
	damage := &Damage{Key: key, Step: r.Step}
	file := filepath.Join(s.dir(key), indexFile)
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("check result: %w", err)
	}
	if hashBytes(text) != r.Index {
		damage.Path, damage.How = file, "is not the index that was written"
		return damage
	}
	entries, err := parseIndex(text)
	if err != nil {
		return fmt.Errorf("check result: %s: %w", file, err)
	}
	// What was seen only saves time.
	raw, _ := os.ReadFile(filepath.Join(s.dir(key), seenFile))
	parseSeen(raw, entries)
	fresh, err := compareAll(s.Data(key), entries, all, damage)
	if err != nil {
		return fmt.Errorf("check result of %s: %w", r.Step, err)
	}
	if damage.How != "" {
		return damage
	}
	if fresh {
		s.renew(key, seenFile, formatSeen(entries))
	}
	s.good.Store(key, entries)
	return nil
}

// renew replaces a file next to the data of a result. Such a file only saves time, so renew does not sync it. renew ignores errors, because
// the program can use a cache that it cannot write.
func (s *Store) renew(key, name string, raw []byte) {
	tmp, err := os.CreateTemp(s.dir(key), "."+name+"-*")
	if err != nil {
		return
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(raw)
	if errors.Join(err, tmp.Close()) == nil {
		_ = os.Rename(tmp.Name(), filepath.Join(s.dir(key), name))
	}
}

// compareAll compares the files in dir with their entries and notes in damage
// what differs. It renews what was seen of the entries and reports whether there
// is any news.
func compareAll(dir string, entries []entry, all bool, damage *Damage) (fresh bool, err error) {
	differences := make([]string, len(entries))
	now := make([]seen, len(entries))
	below := childrenOf(entries)
	at := openDir(dir)
	defer at.close()
	err = OnAllCores(len(entries), func(i int) (err error) {
		differences[i], now[i], err = entries[i].compare(at, all, below)
		return err
	})
	if err != nil {
		return false, err
	}
	for i, how := range differences {
		switch {
		case how == "":
			fresh = fresh || now[i] != entries[i].seen
			entries[i].seen = now[i]
		case damage.How == "":
			damage.Path, damage.How = filepath.Join(dir, entries[i].path), how
		default:
			damage.More++
		}
	}
	return fresh, nil
}

// childrenOf returns a function that lists what a directory holds by the
// entries.
func childrenOf(entries []entry) func(string) []string {
	children := map[string][]string{}
	for i := range entries {
		if path := entries[i].path; path != "." {
			dir, name := ".", path
			if slash := strings.LastIndexByte(path, '/'); slash >= 0 {
				dir, name = path[:slash], path[slash+1:]
			}
			children[dir] = append(children[dir], name)
		}
	}
	return func(dir string) []string { return children[dir] }
}

// Condemn marks a result as damaged, so that it is made again when it is
// needed, and until then is not a result. It stays where it is: another build may
// have it mounted.
func (s *Store) Condemn(d *Damage) error {
	s.good.Delete(d.Key)
	if err := WriteFile(filepath.Join(s.dir(d.Key), damagedFile), []byte(d.Error()+"\n"), 0o644); err != nil {
		return fmt.Errorf("mark a damaged result: %w", err)
	}
	return nil
}

// WhyNot explains why what is there under a key is not a result, "" if nothing is, or
// only what another version of this program left.
func (s *Store) WhyNot(key string) string {
	if why, err := os.ReadFile(filepath.Join(s.dir(key), damagedFile)); err == nil {
		return strings.TrimSpace(string(why))
	}
	file := filepath.Join(s.dir(key), resultFile)
	raw, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	var r Result
	if err := json.Unmarshal(raw, &r); err == nil && r.Sum == "" {
		return ""
	}
	if _, ok := unseal(raw); ok {
		return ""
	}
	return fmt.Sprintf("a result in the cache is damaged: %s is not what was written", file)
}
