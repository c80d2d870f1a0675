package ostree

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/sign"
	"github.com/treewright/treewright/builder/treefs"
)

// Made is what a build made of a repository.
type Made struct {
	Repo string
	// Deltas has static deltas that lead to its newest commit and, if there are some, the
	// summary that lists them; "" if the flavour has none.
	Deltas string
}

// Staged is a repository whose objects are where machines pull from,
// but whose refs are not: it is not seen yet.
type Staged struct {
	from, to Repository
	deltas   string
	refs     map[string]string
	checked  *Checked
	// whole is where a repository that is published for the first time goes in
	// the end, "" for one that is there.
	whole string
	// placed are the objects that were not there before, and files the names of
	// config, refs and summary that are to change, in the order of their renames.
	placed, files []string
	// stale are files of static deltas that lead to earlier commits.
	stale []string
	// unsign removes the signature of an older summary.
	unsign bool
	// reached is what made's refs lead to and the published repository lacked.
	reached []string
}

// Signed is what became of signatures.
type Signed struct {
	// Commits are those that were signed now, the newest of the refs last.
	Commits []string
	// Summary reports whether the summary was signed now.
	Summary bool
	// Dropped reports whether the repository had a signature of an older summary, and has none
	// of the one that is published now.
	Dropped bool
}

// Stage brings what machines do not see of the published repository
// dest up to made: all objects that made's refs lead to, in place of what is bad
// among them, and its static deltas. A ref whose newest published commit is not part of made's history
// is refused, as that history would be lost. Checked is what is known of dest's
// objects, nil for it to find out with the record in the file path.
func Stage(ctx context.Context, made Made, dest, path string, checked *Checked) (*Staged, error) {
	from, err := Open(made.Repo)
	if err != nil {
		return nil, fmt.Errorf("publish repository: %w", err)
	}
	s := &Staged{from: from, deltas: made.Deltas, to: Repository{dir: dest}, checked: checked}
	if s.refs, err = from.Refs(); err != nil {
		return nil, fmt.Errorf("publish repository: %w", err)
	}
	if !treefs.Exists(dest) {
		// The first time it appears as a whole: half a repository would count as a
		// damaged history.
		s.whole, s.to = dest, Repository{dir: filepath.Join(filepath.Dir(dest), "."+filepath.Base(dest)+".new")}
		s.checked = &Checked{repo: s.to, path: path, now: &record{}}
		if err := os.RemoveAll(s.to.dir); err != nil {
			return nil, fmt.Errorf("publish repository: %w", err)
		}
	} else if checked == nil || checked.repo.dir != dest {
		if s.checked, err = Check(ctx, dest, path, []string{made.Repo}, nil); err != nil {
			return nil, fmt.Errorf("publish repository: %w", err)
		}
	}
	if err := s.stage(); err != nil {
		return nil, errors.Join(fmt.Errorf("publish repository: %w", err), s.Discard())
	}
	return s, nil
}

// Unchanged reports that there is nothing to publish.
func (s *Staged) Unchanged() bool {
	return s.whole == "" && len(s.files) == 0 && len(s.stale) == 0 && len(s.placed) == 0 && len(s.checked.Mended) == 0
}

func (s *Staged) stage() error {
	if err := s.descend(); err != nil {
		return err
	}
	for _, dir := range []string{"objects", "tmp", "state", "extensions", "refs/heads", "refs/mirrors", "refs/remotes"} {
		if err := os.MkdirAll(filepath.Join(s.to.dir, dir), 0o755); err != nil {
			return err
		}
	}
	if err := s.objects(); err != nil {
		return err
	}
	return s.stageFiles()
}

// descend makes sure that no published commit is lost.
func (s *Staged) descend() error {
	for _, ref := range slices.Sorted(maps.Keys(s.refs)) {
		have, err := s.to.Head(ref)
		if err != nil {
			return err
		}
		if have == "" {
			continue
		}
		ok, err := s.from.descends(s.refs[ref], have)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("%s has commit %s as the newest of %s, which commit %s does not descend from; "+
				"its history would be lost. Was the repository changed during the build?", s.to.dir, have, ref, s.refs[ref])
		}
	}
	return nil
}

// objects places what refs lead to and is not there, or not whole.
func (s *Staged) objects() error {
	have := s.checked.now.has
	closed := func(commit string) bool { return have(commit + ".commit") }
	if len(s.checked.Bad) > 0 {
		closed = nil
	}
	w := s.from.reach(s.refs, closed)
	if len(w.lost) > 0 {
		return diag.Suggest(fmt.Errorf("the result in the cache, %s, is damaged: %s", s.from.dir, Describe(w.lost)), "cache clear", "has it made again")
	}
	s.addDetached(w, closed)
	damaged := map[string]Damage{}
	for _, d := range s.checked.Bad {
		damaged[d.Object] = d
	}
	how := w.howToPlace(s.refs)
	for _, name := range w.objects {
		if have(name) {
			continue
		}
		d, bad := damaged[name]
		if bad {
			if err := s.from.checkObject(name); err != nil {
				continue // it stays among the damaged
			}
		}
		if !treefs.Exists(filepath.Join(s.to.dir, ObjectPath(name))) {
			s.placed = append(s.placed, ObjectPath(name))
		}
		if err := s.from.place(name, s.to, how(name)); err != nil {
			return err
		}
		if bad {
			delete(damaged, name)
			s.checked.Mended = append(s.checked.Mended, d)
		}
	}
	if len(damaged) > 0 {
		return damagedHistory(s.to.dir, sortedDamages(damaged))
	}
	for _, sum := range w.partial {
		if have(sum + ".commit") {
			continue
		}
		if err := s.to.take(filepath.Join(s.from.dir, partialMark(sum)), partialMark(sum)); err != nil {
			return err
		}
	}
	s.reached = w.objects
	return nil
}

// addDetached adds what belongs to commits that are published already, and was
// added to them later: it has no part in their checksums, so that nothing else of
// them changes.
func (s *Staged) addDetached(w *reach, closed func(commit string) bool) {
	if closed == nil {
		return // all commits were looked at
	}
	for _, o := range s.checked.now.objects {
		sum, commit := strings.CutSuffix(o.name, ".commit")
		if name := sum + "." + detached; commit && treefs.Exists(filepath.Join(s.from.dir, ObjectPath(name))) && s.from.checkObject(name) == nil {
			w.add(name, sum)
		}
	}
}

// sameBytes reports whether from is not there, or to has its content.
func sameBytes(from, to string) (bool, error) {
	want, err := os.ReadFile(from)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	have, err := os.ReadFile(to)
	return err == nil && bytes.Equal(want, have), nil
}

// filesOf lists config, refs, files of static deltas and the summary, in the order in which they are to
// appear, and where they come from. Deltas that the repository has and that were not made now
// become stale.
func (s *Staged) filesOf() (names []string, from map[string]string, err error) {
	from = map[string]string{}
	add := func(dir, name string) {
		names, from[name] = append(names, name), filepath.Join(dir, name)
	}
	add(s.from.dir, "config")
	for _, ref := range slices.Sorted(maps.Keys(s.refs)) {
		add(s.from.dir, "refs/heads/"+ref)
	}
	summary := s.from.dir // without deltas
	if s.deltas != "" {
		deltas, err := Repository{dir: s.deltas}.deltaFiles()
		if err != nil {
			return nil, nil, err
		}
		for _, name := range deltas {
			add(s.deltas, name)
		}
		if treefs.Exists(filepath.Join(s.deltas, "summary")) {
			summary = s.deltas
		}
		have, err := s.to.deltaFiles()
		if err != nil {
			return nil, nil, err
		}
		s.stale = slices.DeleteFunc(have, func(name string) bool { return from[name] != "" })
	}
	add(summary, "summary")
	return names, from, nil
}

// stageFiles writes config, refs, static deltas and summary where a rename makes them count.
func (s *Staged) stageFiles() error {
	names, places, err := s.filesOf()
	if err != nil {
		return err
	}
	for _, name := range names {
		from, to := places[name], filepath.Join(s.to.dir, name)
		if s.whole != "" {
			if err := s.to.take(from, name); err != nil {
				return err
			}
			continue
		}
		if same, err := sameBytes(from, to); err != nil || same && treefs.Exists(from) {
			if err != nil {
				return err
			}
			continue
		}
		// The directory too: then nothing but a rename is left to do.
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := s.to.take(from, stagedFiles+"/"+name); err != nil {
			return err
		}
		s.files = append(s.files, name)
	}
	if len(s.files) == 0 {
		return os.RemoveAll(filepath.Join(s.to.dir, stagedFiles))
	}
	return nil
}

// Publish shows what was staged, by renames alone: refs first, the summary last.
// A machine that pulls meanwhile sees the old commit or the new one. What was staged
// must be on the disk; when Publish returns the renames are too.
func (s *Staged) Publish() error {
	if s.Unchanged() {
		return nil
	}
	if s.whole != "" {
		if err := os.RemoveAll(filepath.Join(s.to.dir, stagedFiles)); err != nil {
			return fmt.Errorf("publish repository: %w", err)
		}
		if err := os.Rename(s.to.dir, s.whole); err != nil {
			return fmt.Errorf("publish repository: %w", err)
		}
		s.to = Repository{dir: s.whole}
		if err := layer.SyncDir(filepath.Dir(s.whole)); err != nil {
			return err
		}
		s.remember()
		return nil
	}
	for i, name := range s.files {
		if name == "summary" && s.unsign {
			if err := os.Remove(filepath.Join(s.to.dir, SummarySignature)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("publish repository: %w", err)
			}
		}
		if name == "summary" && i > 0 {
			// Refs are on the disk before the summary names their commits.
			if err := layer.Sync(s.to.dir); err != nil {
				return err
			}
		}
		if err := os.Rename(filepath.Join(s.to.dir, stagedFiles, name), filepath.Join(s.to.dir, name)); err != nil {
			return fmt.Errorf("publish repository: %w", err)
		}
	}
	err := errors.Join(layer.SyncDir(s.to.dir), s.to.removeFiles(s.stale), os.RemoveAll(filepath.Join(s.to.dir, stagedFiles)))
	if err != nil {
		return fmt.Errorf("publish repository: %w", err)
	}
	s.remember()
	return nil
}

// remember records the objects as they are now, so that the next look need not
// read them. What cannot be recorded is read then: that takes time and no more.
func (s *Staged) remember() {
	refs, err := s.to.Refs()
	if err != nil {
		return
	}
	objects := s.checked.now.stamps()
	for _, name := range s.reached {
		objects[name] = stamp{}
	}
	for name := range objects {
		if objects[name], err = stampOf(unix.AT_FDCWD, filepath.Join(s.to.dir, ObjectPath(name))); err != nil {
			return
		}
	}
	_ = newRecord(refs, objects).write(s.checked.path)
}

// Discard takes back what was staged and not published.
func (s *Staged) Discard() error {
	if s.whole != "" {
		return os.RemoveAll(s.to.dir)
	}
	for _, name := range s.placed {
		if err := os.Remove(filepath.Join(s.to.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return os.RemoveAll(filepath.Join(s.to.dir, stagedFiles))
}

// Publish stages, signs and publishes in one go; a nil signer publishes unsigned.
func Publish(ctx context.Context, made, dest, path string, signer *sign.Signer) error {
	s, err := Stage(ctx, Made{Repo: made}, dest, path, nil)
	if err != nil {
		return err
	}
	if _, err := s.Sign(ctx, signer); err != nil {
		return errors.Join(err, s.Discard())
	}
	if s.Unchanged() {
		return nil
	}
	if err := layer.Sync(s.to.dir); err != nil {
		return errors.Join(err, s.Discard())
	}
	return s.Publish()
}
