//go:build e2e && chaos

package e2e

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// fullDisks builds with too little space for the cache, or for the output.
func (c *chaos) fullDisks(t *testing.T) {
	for _, where := range []string{"cache", "output"} {
		row := c.row("full disk of the " + where)
		dir := t.TempDir()
		p := c.copyOf(t, dir)
		small := map[string]string{"cache": p.cache, "output": filepath.Join(p.dir, ".build")}[where]
		aside := small + ".aside"
		run(t, "mv", small, aside)
		run(t, "mkdir", small)
		run(t, "mount", "-t", "tmpfs", "-o", "size=8G,mode=0755", "tmpfs", small)
		t.Cleanup(func() { unmount(t, small) })
		run(t, "cp", "-a", aside+"/.", small)
		run(t, "rm", "-rf", aside)
		for range max(c.count/4, 1) {
			refused, err := c.fullDisk(t, p, small)
			row.outcome(t, refused, err)
		}
	}
}

func (c *chaos) fullDisk(t *testing.T, p *project, small string) (refused bool, err error) {
	before, err := p.published()
	if err != nil {
		return false, err
	}
	listed := p.manifest()
	mark := c.mark(p)
	free := c.rand.IntN(300)
	var st unix.Statfs_t
	if err := unix.Statfs(small, &st); err != nil {
		return false, err
	}
	used := (int64(st.Blocks-st.Bfree)*st.Bsize)>>20 + 1
	resize := func(mib int64) { run(t, "mount", "-o", fmt.Sprintf("remount,size=%dM", mib), small) }
	resize(used + int64(free))
	out, code := p.treewright(nil, "--progress", "plain", flavourName)
	resize(8 << 10)
	fault := func(text string) error {
		return fmt.Errorf("with %d MiB free in %s, exit %d: %s\n%s", free, filepath.Base(small), code, text, out)
	}
	if code == 0 {
		err := c.check(p, before, mark)
		if err != nil {
			err = fault(err.Error())
		}
		return false, err
	}
	if !regexp.MustCompile(`(?i)no space left|MiB|MB|GB|full`).MatchString(out) {
		return false, fault("it does not say that the disk is full")
	}
	now, err := p.published()
	switch {
	case err != nil:
		return false, fault(err.Error())
	case strings.Join(now, " ") != strings.Join(before, " "):
		return false, fault(fmt.Sprintf("a build that failed has published: %v before, %v now", before, now))
	case p.manifest().Commit != listed.Commit:
		return false, fault("a build that failed has left another manifest")
	}
	if err := p.artifactsAsListed(); err != nil {
		return false, fault(err.Error())
	}
	return true, c.rebuild(p, before, mark)
}

// flips changes single bytes of files in the cache and in the output, as a
// program does that writes where it should not.
func (c *chaos) flips(t *testing.T) {
	row := c.row("flipped byte in cache or output")
	p := c.copyOf(t, t.TempDir())
	for i := range c.count {
		before, err := p.published()
		if err != nil {
			t.Fatal(err)
		}
		files := regular(t, p.cache, filepath.Join(p.dir, ".build"))
		file := files[c.rand.IntN(len(files))]
		back, err := c.flip(file)
		if err != nil {
			t.Fatal(err)
		}
		// Every other build has nothing new, and must notice all the same.
		mark := fmt.Sprintf("build %d\n", c.marks)
		if i%2 == 0 {
			mark = c.mark(p)
		}
		refused, err := c.afterDamage(p, before, mark, back)
		if err != nil {
			err = fmt.Errorf("a byte of %s is flipped: %w", strings.TrimPrefix(file, filepath.Dir(p.dir)), err)
		}
		row.outcome(t, refused, err)
		if err != nil {
			// The next one starts from a whole project.
			p = c.copyOf(t, t.TempDir())
			c.marks++
			if err := c.rebuild(p, nil, c.mark(p)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// afterDamage builds. It may refuse, if the history is untouched and a build
// works again once the damage is undone.
func (c *chaos) afterDamage(p *project, before []string, mark string, undo func() error) (refused bool, err error) {
	out, code := p.treewright(nil, "--progress", "plain", flavourName)
	if code == 0 {
		if err := c.check(p, before, mark); err != nil {
			return false, fmt.Errorf("%w\nthe build says:\n%s", err, out)
		}
		return false, nil
	}
	if !regexp.MustCompile(`damaged|checksum|not whole|not what`).MatchString(out) {
		return false, fmt.Errorf("exit %d, and nothing is said of damage:\n%s", code, out)
	}
	if err := undo(); err != nil {
		return false, err
	}
	return true, c.rebuild(p, before, mark)
}

// regular lists all files with content below directories.
func regular(t *testing.T, dirs ...string) (files []string) {
	t.Helper()
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			info, err := d.Info()
			if err == nil && info.Size() > 0 {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// flip changes one bit of a file, and returns what changes it back.
func (c *chaos) flip(file string) (back func() error, err error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	at, bit := c.rand.Int64N(info.Size()), byte(1)<<c.rand.IntN(8)
	toggle := func() error { return toggle(file, at, bit) }
	return toggle, toggle()
}

func toggle(file string, at int64, bit byte) error {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, at); err != nil {
		return err
	}
	b[0] ^= bit
	_, err = f.WriteAt(b, at)
	return errors.Join(err, f.Sync())
}

// rot changes single bytes on the disk below the file system, as a bad disk
// does: no time stamp tells. `cache verify` has to find it.
func (c *chaos) rot(t *testing.T) {
	row := c.row("rotten byte in the cache")
	d := newDisk(t, 4096)
	c.copyOf(t, d.at)
	run(t, "sync", "-f", d.at)
	files := regular(t, filepath.Join(d.at, "cache/packages"), filepath.Join(d.at, "cache/store/results"), filepath.Join(d.at, "cache/sources"))
	for i := range max(c.count/4, 1) {
		file := files[c.rand.IntN(len(files))]
		offset, ok := c.onDisk(t, file)
		if !ok {
			continue // it is within its inode
		}
		after, err := d.cut(fmt.Sprintf("rot-%d", i))
		if err != nil {
			t.Fatal(err)
		}
		if err := toggle(after.image, offset, 1<<c.rand.IntN(8)); err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(file, d.at)
		after.with(func(dir string) {
			p := c.at(t, dir)
			row.outcome(t, false, c.afterRot(p, filepath.Join(dir, name), name))
		})
	}
}

func (c *chaos) afterRot(p *project, file, name string) error {
	before, err := p.history()
	if err != nil {
		return err
	}
	out, code := p.treewright(nil, "cache", "verify")
	// A log is text for people; what was seen of a result only saves reading it.
	if harmless := filepath.Base(file) == "log" || filepath.Base(file) == "seen"; (code == 0) != harmless {
		return fmt.Errorf("%s is rotten, and cache verify ends with %d:\n%s", name, code, out)
	}
	if err := c.rebuild(p, before, c.mark(p)); err != nil {
		return fmt.Errorf("%s is rotten: %w", name, err)
	}
	return nil
}

// extent is the first line of filefrag -v that tells of blocks: number, logical
// offset, physical offset.
var extent = regexp.MustCompile(`(?m)^\s*0:\s+0\.\.\s*(\d+):\s+(\d+)\.\.`)

// onDisk is where a random byte of a file's first extent is in the image.
func (c *chaos) onDisk(t *testing.T, file string) (int64, bool) {
	m := extent.FindStringSubmatch(run(t, "filefrag", "-v", "-b4096", file))
	if m == nil {
		return 0, false
	}
	last, err1 := strconv.ParseInt(m[1], 10, 64)
	start, err2 := strconv.ParseInt(m[2], 10, 64)
	info, err3 := os.Stat(file)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	return start*4096 + c.rand.Int64N(min((last+1)*4096, info.Size())), true
}
