//go:build e2e && chaos

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// disk is a file system that can lose its power: an ext4 on a loop device whose
// backing file is on XFS, which clones a file in one moment.
type disk struct {
	t     *testing.T
	shelf string // where XFS is mounted
	image string // the backing file
	at    string // where the ext4 is mounted
}

// newDisk makes an empty one of so many MiB.
func newDisk(t *testing.T, mib int) *disk {
	t.Helper()
	dir := t.TempDir()
	d := &disk{t: t, shelf: filepath.Join(dir, "shelf"), at: filepath.Join(dir, "disk")}
	store := filepath.Join(dir, "shelf.img")
	for _, dir := range []string{d.shelf, d.at} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	run(t, "truncate", "-s", "64G", store)
	run(t, "mkfs.xfs", "-q", "-m", "reflink=1", store)
	run(t, "mount", "-o", "loop,discard", store, d.shelf)
	t.Cleanup(func() { unmount(t, d.shelf) })
	d.image = filepath.Join(d.shelf, "disk.img")
	run(t, "truncate", "-s", fmt.Sprintf("%dM", mib), d.image)
	run(t, "mkfs.ext4", "-q", d.image)
	d.mount()
	t.Cleanup(d.unmount)
	return d
}

// mount mounts it so that names reach the disk long before content that nobody
// waits for.
func (d *disk) mount() { run(d.t, "mount", "-o", "loop,commit=1", d.image, d.at) }

func (d *disk) unmount() { unmount(d.t, d.at) }

// unmount waits until nobody uses a mount any more: the kernel lets go of loop
// devices a little after their file systems.
func unmount(t *testing.T, dir string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		out, err := exec.Command("umount", dir).CombinedOutput()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("umount %s: %v\n%s", dir, err, out)
		}
	}
}

// cut returns what is on the disk this very moment.
func (d *disk) cut(name string) (*disk, error) {
	from, err := os.Open(d.image)
	if err != nil {
		return nil, err
	}
	defer from.Close()
	after := &disk{t: d.t, shelf: d.shelf, image: filepath.Join(d.shelf, name+".img"), at: d.at + "-" + name}
	to, err := os.Create(after.image)
	if err != nil {
		return nil, err
	}
	defer to.Close()
	if err := unix.IoctlFileClone(int(to.Fd()), int(from.Fd())); err != nil {
		return nil, fmt.Errorf("clone the disk: %w", err)
	}
	return after, nil
}

// with mounts what a cut left, as a machine does that comes up again, and
// throws it away in the end.
func (d *disk) with(do func(dir string)) {
	if err := os.Mkdir(d.at, 0o755); err != nil {
		d.t.Fatal(err)
	}
	d.mount()
	defer func() {
		d.unmount()
		if err := os.Remove(d.image); err != nil {
			d.t.Fatal(err)
		}
	}()
	do(d.at)
}

// moment is a cut, and what a user had been told to be published by then.
type moment struct {
	disk  *disk
	after time.Duration
	known []string
	mark  string
}

// powerCuts cuts the power at random moments of a build from nothing and of
// builds after a change, and builds on what is left.
func (c *chaos) powerCuts(t *testing.T) {
	// Packages are downloaded already, so that each build costs seconds only.
	cold := newDisk(t, 4096)
	p := c.copyOf(t, cold.at)
	run(t, "rm", "-rf", filepath.Join(p.cache, "store"), filepath.Join(p.cache, "sources"), filepath.Join(p.dir, ".build"))
	c.judge(t, "power cut, build from nothing", c.cuts(t, cold, p, c.count/2, 6*c.took))

	warm := newDisk(t, 4096)
	p = c.copyOf(t, warm.at)
	row := c.row("power cut, build after a change")
	const each = 5
	for left := c.count - c.count/2; left > 0; left -= each {
		c.judgeRow(t, row, c.cuts(t, warm, p, min(left, each), 2*c.took))
	}
}

// cuts builds once, and cuts the power n times in the time span from its start.
func (c *chaos) cuts(t *testing.T, d *disk, p *project, n int, span time.Duration) []moment {
	t.Helper()
	known, err := p.published()
	if err != nil {
		t.Fatal(err)
	}
	mark := c.mark(p)
	// What the user wrote is on the disk.
	run(t, "sync", "-f", d.at)
	times := make([]time.Duration, n)
	for i := range times {
		times[i] = c.until(span)
	}
	sort.Slice(times, func(i, j int) bool { return times[i] < times[j] })
	type built struct {
		out  string
		code int
	}
	done := make(chan built, 1)
	start := time.Now()
	go func() {
		out, code := p.treewright(nil, "--progress", "plain", flavourName)
		done <- built{out, code}
	}()
	var moments []moment
	end := func(b built) {
		if b.code != 0 {
			t.Fatalf("the undisturbed build fails with exit %d:\n%s", b.code, b.out)
		}
		if known, err = p.published(); err != nil {
			t.Fatal(err)
		}
		done = nil
	}
	for i, at := range times {
		select {
		case b := <-done:
			end(b)
			time.Sleep(time.Until(start.Add(at)))
		case <-time.After(time.Until(start.Add(at))):
		}
		m := moment{after: at, known: known, mark: mark}
		if m.disk, err = d.cut(fmt.Sprintf("%d-%d", c.marks, i)); err != nil {
			t.Fatal(err)
		}
		moments = append(moments, m)
	}
	if done != nil {
		end(<-done)
	}
	return moments
}

func (c *chaos) judge(t *testing.T, kind string, moments []moment) {
	t.Helper()
	c.judgeRow(t, c.row(kind), moments)
}

func (c *chaos) judgeRow(t *testing.T, row *chaosRow, moments []moment) {
	t.Helper()
	for _, m := range moments {
		m.disk.with(func(dir string) {
			p := c.at(t, dir)
			err := c.check(p, m.known, "")
			if err == nil {
				err = c.rebuild(p, m.known, m.mark)
			}
			if err != nil {
				err = fmt.Errorf("%v after the start: %w", m.after.Round(time.Millisecond), err)
			}
			row.outcome(t, false, err)
		})
	}
}
