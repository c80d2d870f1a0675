//go:build e2e && chaos

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// kills ends builds by SIGKILL at random moments.
func (c *chaos) kills(t *testing.T) {
	row := c.row("kill -9")
	p := c.copyOf(t, t.TempDir())
	for range c.count {
		before, err := p.published()
		if err != nil {
			t.Fatal(err)
		}
		mark := c.mark(p)
		after := c.until(c.took * 6 / 5)
		said, err := p.killed(after)
		if err == nil {
			err = c.check(p, before, "")
		}
		if err == nil {
			err = c.rebuild(p, before, mark)
		}
		if err == nil {
			err = p.nothingLeft()
		}
		if err != nil {
			err = fmt.Errorf("killed after %v: %w\nthe killed build said:\n%s", after.Round(time.Millisecond), err, said)
		}
		row.outcome(t, false, err)
	}
}

// killed starts a build and kills it after a while. What it started must be gone
// soon after.
func (p *project) killed(after time.Duration) (string, error) {
	// Not by ./build: the process that it runs is to be hit.
	cmd := exec.Command(filepath.Join(p.root, ".cache/bin/treewright"), "-C", p.dir, "--cache", p.cache, "--progress", "plain", flavourName)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		return "", err
	}
	time.Sleep(after)
	if err := cmd.Process.Kill(); err != nil {
		return "", err
	}
	// It waits for the output to be closed as well, so for all who hold it.
	_ = cmd.Wait()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		left := p.processes()
		if len(left) == 0 {
			return out.String(), nil
		}
		if time.Now().After(deadline) {
			return out.String(), fmt.Errorf("it left processes running: %s", strings.Join(left, "; "))
		}
	}
}

// processes are those whose command line or working directory names the
// project's cache or tree.
func (p *project) processes() (found []string) {
	procs, _ := filepath.Glob("/proc/[0-9]*")
	for _, proc := range procs {
		line, err := os.ReadFile(filepath.Join(proc, "cmdline"))
		if err != nil {
			continue
		}
		text := strings.ReplaceAll(string(line), "\x00", " ")
		dir, _ := os.Readlink(filepath.Join(proc, "cwd"))
		for _, ours := range []string{p.cache, p.dir} {
			if strings.Contains(text, ours) || strings.HasPrefix(dir, ours) {
				found = append(found, text)
				break
			}
		}
	}
	return found
}

// nothingLeft describes what a build that ended left.
func (p *project) nothingLeft() error {
	if left, err := os.ReadDir(filepath.Join(p.cache, "store/drafts")); err != nil || len(left) > 0 {
		return fmt.Errorf("half-made results: %v, error %v", left, err)
	}
	mounts, err := os.ReadFile("/proc/mounts")
	if err != nil {
		return err
	}
	if bytes.Contains(mounts, []byte(p.cache)) {
		return fmt.Errorf("the cache is still mounted:\n%s", mounts)
	}
	return nil
}

// prunes removes all that can be removed from the cache while builds run.
func (c *chaos) prunes(t *testing.T) {
	row := c.row("cache prune during a build")
	p := c.copyOf(t, t.TempDir())
	for range max(c.count/5, 1) {
		before, err := p.published()
		if err != nil {
			t.Fatal(err)
		}
		mark := c.mark(p)
		stop, stopped := make(chan struct{}), make(chan error, 1)
		go func() {
			for {
				select {
				case <-stop:
					stopped <- nil
					return
				default:
				}
				out, err := exec.Command(filepath.Join(p.root, "build"), "-C", p.dir, "--cache", p.cache, "cache", "prune", "--older-than", "0").CombinedOutput()
				if err != nil {
					stopped <- fmt.Errorf("cache prune: %w\n%s", err, out)
					return
				}
			}
		}()
		err = c.rebuild(p, before, mark)
		close(stop)
		if pruned := <-stopped; err == nil {
			err = pruned
		}
		row.outcome(t, false, err)
	}
}
