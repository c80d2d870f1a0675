//go:build e2e && chaos

package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Variables that people and CI set: how many moments of each kind are tried, and
// where the random numbers start.
const (
	chaosCount = "CHAOS"
	chaosSeed  = "CHAOS_SEED"
)

// tinyScript makes the files that a commit must have and that this test does not run, so
// that a build takes seconds: dracut, a kernel, systemd.
const tinyScript = `#!/bin/bash
set -euo pipefail
mkdir -p /usr/lib/modules/1-tiny /usr/lib/ostree /usr/lib/systemd
echo kernel >/usr/lib/modules/1-tiny/vmlinuz
touch /usr/lib/ostree/ostree-prepare-root /usr/lib/ostree/prepare-root.conf /usr/lib/systemd/systemd
cat >/usr/bin/dracut <<'DRACUT'
#!/bin/bash
for file; do :; done
echo initramfs >"$file"
DRACUT
chmod 755 /usr/bin/dracut
`

const tinyFlavour = `flavour "e2e" {
  distribution {
    suite  = "testing"
    mirror = "http://deb.debian.org/debian"
  }
  features = ["tiny", "tinyRepo"]
  set "tinyRepo" {
    os_name = "tiny"
  }
}
`

const (
	tinyRef  = "debian/testing/amd64"
	tinyRepo = "tiny-repo-amd64"
	// tinyMark is the file whose content changes with each build.
	tinyMark = "/usr/share/chaos"
)

// chaos is one run: the mishaps that were tried, and their outcomes.
type chaos struct {
	t     *testing.T
	count int
	rand  *rand.Rand
	// seed is a project that was built, to copy from: its cache is warm.
	seed *project
	// trees are what commits hold besides the mark, by the release of the archive: it may move on
	// during the test.
	trees map[string]string
	// took is how long a build with another mark takes.
	took  time.Duration
	marks int
	rows  []*chaosRow
}

// chaosRow counts the outcomes of one kind of mishap.
type chaosRow struct {
	kind string
	// held: the build went on as if nothing had happened. refused: it reported the
	// fault, and nothing changed. lost: anything else.
	held, refused, lost int
	// losses are the outcomes of the lost ones.
	losses []error
	start  time.Time
	took   time.Duration
}

// TestChaos disturbs builds at random moments. Nothing that was published may be
// lost, and nothing wrong may be published.
func TestChaos(t *testing.T) {
	count, seed := 50, uint64(time.Now().UnixNano())
	for name, set := range map[string]func(uint64){chaosCount: func(n uint64) { count = int(n) }, chaosSeed: func(n uint64) { seed = n }} {
		if text := os.Getenv(name); text != "" {
			n, err := strconv.ParseUint(text, 10, 32)
			if err != nil {
				t.Fatalf("%s=%s is not a number: %v", name, text, err)
			}
			set(n)
		}
	}
	seed %= 1 << 32
	t.Logf("again with the same random numbers: %s=%d %s=%d make chaos", chaosCount, count, chaosSeed, seed)
	c := &chaos{t: t, count: count, rand: rand.New(rand.NewPCG(seed, 0))}
	c.prepare()
	defer c.table()
	t.Run("power", c.powerCuts)
	t.Run("kill", c.kills)
	t.Run("full", c.fullDisks)
	t.Run("flip", c.flips)
	t.Run("rot", c.rot)
	t.Run("prune", c.prunes)
}

// prepare builds the project that the others are copies of.
func (c *chaos) prepare() {
	for _, program := range []string{"ostree", "mkfs.xfs", "mkfs.ext4", "filefrag"} {
		if _, err := exec.LookPath(program); err != nil {
			c.t.Fatalf("%v: apt-get install ostree xfsprogs e2fsprogs", err)
		}
	}
	c.seed = tinyProject(c.t, c.t.TempDir())
	c.mark(c.seed)
	c.seed.build()
	start := time.Now()
	c.mark(c.seed)
	c.seed.build()
	c.took = time.Since(start)
	tree, err := treeOf(c.seed)
	if err != nil {
		c.t.Fatal(err)
	}
	c.trees = map[string]string{c.seed.manifest().Distribution.Release: tree}
}

// tinyProject is a project below dir, with its cache there too.
func tinyProject(t *testing.T, dir string) *project {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	p := &project{t: t, root: root, dir: filepath.Join(dir, "tree"), cache: filepath.Join(dir, "cache"), flavour: flavourName}
	info, err := os.ReadFile(filepath.Join(root, "features/ostreeRepo/info.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	p.write("features/tinyRepo/info.yaml", strings.Replace(string(info), "include: [base]", "include: [tiny]", 1))
	p.write("features/tiny/info.yaml", "description: the least that can be committed\ntype: platform\n")
	p.write("features/tiny/exec.config", tinyScript)
	if err := os.Chmod(filepath.Join(p.dir, "features/tiny/exec.config"), 0o755); err != nil {
		t.Fatal(err)
	}
	p.write("flavours/e2e.hcl", tinyFlavour)
	return p
}

// copyOf is a copy of the seed below dir.
func (c *chaos) copyOf(t *testing.T, dir string) *project {
	t.Helper()
	from := filepath.Dir(c.seed.dir)
	run(t, "cp", "-a", "--reflink=auto", filepath.Join(from, "tree"), filepath.Join(from, "cache"), dir)
	return c.at(t, dir)
}

// at is the project that is below dir.
func (c *chaos) at(t *testing.T, dir string) *project {
	p := *c.seed
	p.t, p.dir, p.cache = t, filepath.Join(dir, "tree"), filepath.Join(dir, "cache")
	return &p
}

// mark gives the next build something new, and returns it.
func (c *chaos) mark(p *project) string {
	c.marks++
	mark := fmt.Sprintf("build %d\n", c.marks)
	p.write("features/tiny/file.include"+tinyMark, mark)
	return mark
}

func (c *chaos) row(kind string) *chaosRow {
	r := &chaosRow{kind: kind, start: time.Now()}
	c.rows = append(c.rows, r)
	return r
}

// outcome counts one try.
func (r *chaosRow) outcome(t *testing.T, refused bool, err error) {
	t.Helper()
	r.took = time.Since(r.start)
	switch {
	case err != nil:
		r.lost++
		r.losses = append(r.losses, err)
		t.Errorf("%s: %v", r.kind, err)
	case refused:
		r.refused++
	default:
		r.held++
	}
}

func (c *chaos) table() {
	fmt.Printf("\n%-44s %6s %6s %8s %6s %8s\n", "mishap", "tries", "held", "refused", "lost", "seconds")
	for _, r := range c.rows {
		fmt.Printf("%-44s %6d %6d %8d %6d %8.0f\n", r.kind, r.held+r.refused+r.lost, r.held, r.refused, r.lost, r.took.Seconds())
	}
	fmt.Println()
	// Once more: of a long log, people may get to see the end only.
	for _, r := range c.rows {
		for _, err := range r.losses {
			fmt.Printf("lost: %s: %v\n\n", r.kind, err)
		}
	}
}

// until is a random time up to limit.
func (c *chaos) until(limit time.Duration) time.Duration {
	return time.Duration(c.rand.Int64N(int64(limit)))
}

// ostree runs the host's ostree on the published repository.
func (p *project) ostree(args ...string) (string, error) {
	argv := append([]string{"--repo=" + p.output(tinyRepo)}, args...)
	out, err := exec.Command("ostree", argv...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("ostree %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

// published are the commits of the published repository, the newest first; none
// without a repository.
func (p *project) published() ([]string, error) {
	if _, err := os.Lstat(p.output(tinyRepo)); os.IsNotExist(err) {
		return nil, nil
	}
	if _, err := p.ostree("fsck", "--quiet"); err != nil {
		return nil, err
	}
	return p.history()
}

// history are those commits, whatever became of their objects.
func (p *project) history() ([]string, error) {
	log, err := p.ostree("log", tinyRef)
	if err != nil {
		return nil, err
	}
	if strings.Contains(log, "not fetched") {
		return nil, fmt.Errorf("the history is torn:\n%s", log)
	}
	var commits []string
	for _, m := range regexp.MustCompile(`(?m)^commit ([0-9a-f]{64})$`).FindAllStringSubmatch(log, -1) {
		commits = append(commits, m[1])
	}
	return commits, nil
}

// treeOf describes what the newest commit holds besides the mark.
func treeOf(p *project) (string, error) {
	list, err := p.ostree("ls", "-R", "-C", tinyRef, "/")
	if err != nil {
		return "", err
	}
	var lines []string
	for line := range strings.Lines(list) {
		if strings.HasSuffix(line, tinyMark+"\n") {
			continue
		}
		fields := strings.Fields(line)
		if line[0] == 'd' {
			// The checksums of those on the way to the mark change with it.
			fields = []string{fields[0], fields[1], fields[2], fields[len(fields)-1]}
		}
		lines = append(lines, strings.Join(fields, " "))
	}
	return strings.Join(lines, "\n"), nil
}

// check describes what is wrong with a published history: it must be whole, hold all
// commits that were there (the newest first), and, with a mark, end in a commit
// of the whole tree with that mark.
func (c *chaos) check(p *project, before []string, mark string) error {
	now, err := p.published()
	if err != nil {
		return err
	}
	if !strings.HasSuffix(strings.Join(now, " "), strings.Join(before, " ")) {
		return fmt.Errorf("commits are lost: there were %v, and there are %v", before, now)
	}
	if mark == "" {
		return nil
	}
	if len(now) == 0 {
		return fmt.Errorf("nothing is published")
	}
	got, err := p.ostree("cat", tinyRef, tinyMark)
	if err != nil {
		return err
	}
	if got != mark {
		return fmt.Errorf("the newest commit has the mark %q, not %q", got, mark)
	}
	tree, err := treeOf(p)
	if err != nil {
		return err
	}
	release := p.manifest().Distribution.Release
	if c.trees[release] == "" {
		c.t.Logf("the archive has moved on to release %s", release)
		c.trees[release] = tree
	}
	if tree != c.trees[release] {
		return fmt.Errorf("the newest commit has another tree:\n%s", difference(c.trees[release], tree))
	}
	return p.artifactsAsListed()
}

// artifactsAsListed compares the files with the manifest.
func (p *project) artifactsAsListed() error {
	for name, sum := range p.manifest().sums() {
		if got := hashOf(p.t, p.output(name)); got != sum {
			return fmt.Errorf("%s has SHA-256 %s, the manifest says %s", name, got, sum)
		}
	}
	return nil
}

// difference are the first lines of b that a lacks, and the other way round.
func difference(a, b string) string {
	var out []string
	for _, pair := range [][3]string{{"-", a, b}, {"+", b, a}} {
		has := map[string]bool{}
		for line := range strings.Lines(pair[2] + "\n") {
			has[line] = true
		}
		for line := range strings.Lines(pair[1] + "\n") {
			if !has[line] && len(out) < 20 {
				out = append(out, pair[0]+" "+line)
			}
		}
	}
	return strings.Join(out, "")
}

// rebuild builds and checks; the output of the build is part of the error.
func (c *chaos) rebuild(p *project, before []string, mark string) error {
	out, code := p.treewright(nil, "--progress", "plain", flavourName)
	if code != 0 {
		return fmt.Errorf("the build after it fails with exit %d:\n%s", code, out)
	}
	if err := c.check(p, before, mark); err != nil {
		return fmt.Errorf("after another build: %w\nthe build says:\n%s", err, out)
	}
	return nil
}

func run(t *testing.T, argv ...string) string {
	t.Helper()
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(argv, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}
