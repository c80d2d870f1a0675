package cache

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/layer"
)

func open(t *testing.T, root string) *Cache {
	t.Helper()
	c, err := Open(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Store.Close)
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func key(name string) string { return strings.Repeat(name, 64) }

const block = 64 << 10

// result stores one of a name, which took so many blocks and was used days ago.
// links are downloads that it has.
func result(t *testing.T, root, name string, blocks, days int, links ...string) {
	t.Helper()
	c := open(t, root)
	d, err := c.Store.Begin(key(name))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(d.Data, "file"), make([]byte, blocks*block), 0o644))
	for _, link := range links {
		must(t, os.Link(download(t, root, link), filepath.Join(d.Data, link)))
	}
	must(t, d.Commit(layer.Result{Step: "step/" + name}))
	c.Store.Close()
	at := time.Now().AddDate(0, 0, -days)
	must(t, os.Chtimes(filepath.Join(filepath.Dir(c.Store.Data(key(name))), "result.json"), at, at))
}

// download returns a download of four blocks, which is made if it is not there.
func download(t *testing.T, root, name string) string {
	t.Helper()
	path := filepath.Join(root, "packages/sha256/ab", name)
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	if _, err := os.Stat(path); err != nil {
		must(t, os.WriteFile(path, make([]byte, 4*block), 0o644))
	}
	return path
}

// dir makes a directory with a file of so many blocks, used days ago.
func dir(t *testing.T, path string, blocks, days int) {
	t.Helper()
	must(t, os.MkdirAll(path, 0o755))
	must(t, os.WriteFile(filepath.Join(path, "file"), make([]byte, blocks*block), 0o644))
	at := time.Now().AddDate(0, 0, -days)
	must(t, os.Chtimes(path, at, at))
}

// left lists what there is, results by the first letter of their keys.
func left(t *testing.T, root string) string {
	t.Helper()
	var names []string
	for _, pattern := range []string{"store/results/*", "packages/sha256/*/*", "sources/*", "history/*", "apt/*"} {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		must(t, err)
		for _, p := range paths {
			name := filepath.Base(p)
			if len(name) == 64 {
				name = name[:1]
			}
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// TestShrink: what was used the longest ago goes first, of whatever kind, and
// only as much as is needed; what is in use, or planned with, never.
func TestShrink(t *testing.T) {
	root := t.TempDir()
	result(t, root, "a", 10, 30)
	result(t, root, "b", 1, 20, "deb")
	result(t, root, "c", 10, 10)
	result(t, root, "d", 10, 1)
	dir(t, filepath.Join(root, "sources/old"), 5, 25)
	dir(t, filepath.Join(root, "history/old"), 20, 15)
	must(t, os.WriteFile(filepath.Join(root, "damaged"), nil, 0o644))
	c := open(t, root)
	step := func(want string, blocks int) {
		t.Helper()
		_, total, err := c.Usage()
		must(t, err)
		freed, rest, err := c.Shrink(func(now int64) bool { return now <= total-int64(blocks)*block })
		must(t, err)
		if freed.Bytes != total-rest || freed.Bytes < int64(blocks)*block {
			t.Errorf("freed %d of %d, %d left", freed.Bytes, total, rest)
		}
		if _, now, err := c.Usage(); err != nil || now != rest {
			t.Errorf("it says that %d are left, and there are %d, error %v", rest, now, err)
		}
		if got := left(t, root); got != want {
			t.Errorf("left are %q, want %q", got, want)
		}
	}
	step("a b c d deb old old", 0)
	step("b c d deb old old", 3)
	// The record of the next one is lost: it goes first.
	must(t, os.Truncate(filepath.Join(root, "store/results", key("d"), "result.json"), 0))
	must(t, os.WriteFile(filepath.Join(root, "store/results", key("d"), "damaged"), nil, 0o644))
	step("b c deb old old", 1)
	// A snapshot is held, and so is the result c; then b goes, and its download.
	user := open(t, root)
	must(t, user.Rely(filepath.Join(root, "sources/old/file")))
	if _, ok, err := user.Store.Get(key("c")); !ok || err != nil {
		t.Fatal(ok, err)
	}
	step("c old old", 4)
	if freed, _, err := c.Shrink(func(int64) bool { return false }); err != nil || freed.Items != 1 {
		t.Errorf("freed %+v, error %v", freed, err)
	}
	if got := left(t, root); got != "c old" {
		t.Errorf("left are %q, want what is in use", got)
	}
}

// TestLinksCountOnce: a download that results have takes its space once.
func TestLinksCountOnce(t *testing.T) {
	root := t.TempDir()
	result(t, root, "a", 1, 0, "deb")
	result(t, root, "b", 1, 0, "deb")
	_, total, err := open(t, root).Usage()
	must(t, err)
	if most := int64(10 * block); total < 6*block || total > most {
		t.Errorf("two results of a block and a download of four take %d blocks", total/block)
	}
}

// TestPruneWhilePlanning: what can be found while somebody plans stays, and is
// held from then on if it is relied on; results are another matter.
func TestPruneWhilePlanning(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"sources/a", "sources/b", "history/a", "apt/a"} {
		dir(t, filepath.Join(root, name), 1, 100)
	}
	must(t, os.MkdirAll(filepath.Join(root, "sources/.new-1"), 0o755))
	result(t, root, "r", 1, 100)
	planner, pruner := open(t, root), open(t, root)
	done, err := planner.Planning(t.Context(), func() { t.Error("waited for nothing") })
	must(t, err)
	p, err := pruner.Prune(time.Now(), false)
	if err != nil || p.Results != 1 || p.Others != 0 || p.Kept != 4 {
		t.Errorf("pruned %+v, error %v", p, err)
	}
	must(t, planner.Rely(filepath.Join(root, "sources/a/file"), filepath.Join(root, "history/a"), "/elsewhere", ""))
	done()
	if _, err := os.Stat(filepath.Join(root, "sources/.new-1")); err != nil {
		t.Error("what is being made is gone")
	}
	p, err = pruner.Prune(time.Now().Add(time.Hour), false)
	if err != nil || p.Others != 2 || p.Kept != 2 {
		t.Errorf("pruned %+v, error %v", p, err)
	}
	if got := left(t, root); got != "a a" {
		t.Errorf("left are %q", got)
	}
	if _, err := os.Stat(filepath.Join(root, "sources/.new-1")); err == nil {
		t.Error("what a killed build left stays")
	}
	if err := planner.Rely(filepath.Join(root, "sources/b")); err == nil {
		t.Error("what is gone can be relied on")
	}
	planner.Store.Close()
	if p, err = pruner.Prune(time.Now().Add(time.Hour), true); err != nil || left(t, root) != "" {
		t.Errorf("pruned %+v, error %v; left are %q", p, err, left(t, root))
	}
}

// TestDownloadWithoutName: shortly before a download gets its name, it has the time of its package, which
// is long ago. It is not removed before an hour has passed.
func TestDownloadWithoutName(t *testing.T) {
	root := t.TempDir()
	built := time.Unix(1600000000, 0)
	must(t, os.Chtimes(download(t, root, ".download-1"), built, built))
	c := open(t, root)
	if p, err := c.Prune(time.Now(), true); err != nil || p.Downloads != 0 {
		t.Errorf("pruned %+v, error %v", p, err)
	}
	if freed, _, err := c.Shrink(func(int64) bool { return false }); err != nil || freed.Items != 0 {
		t.Errorf("freed %+v, error %v", freed, err)
	}
	if items, err := c.orphans(time.Now().Add(2 * abandoned)); err != nil || len(items) != 1 {
		t.Errorf("%d downloads have ended, error %v", len(items), err)
	}
}

// TestSettle: a build that has ended keeps the budget, and all of its own plan.
func TestSettle(t *testing.T) {
	root := t.TempDir()
	result(t, root, "a", 10, 30)
	result(t, root, "b", 10, 1)
	result(t, root, "c", 10, 40)
	c := open(t, root)
	plan := map[string]string{"one": key("a"), "two": key("f")}
	for limit, want := range map[int64]string{-1: "a b c", 1 << 40: "a b c"} {
		if freed, _, err := c.Settle("flavour", plan, nil, limit); err != nil || freed.Items != 0 || left(t, root) != want {
			t.Errorf("limit %d: freed %+v, error %v, left are %s", limit, freed, err, left(t, root))
		}
	}
	freed, rest, err := c.Settle("flavour", plan, nil, 25*block)
	if err != nil || freed.Items != 1 || rest > 25*block || left(t, root) != "a b" {
		t.Errorf("freed %+v, error %v, %d left: %s", freed, err, rest, left(t, root))
	}
	freed, rest, err = c.Settle("flavour", plan, nil, 1)
	if err != nil || freed.Items != 1 || rest < 10*block || left(t, root) != "a" {
		t.Errorf("freed %+v, error %v, %d left: %s", freed, err, rest, left(t, root))
	}
	// The indices that it planned with are not worth less.
	dir(t, filepath.Join(root, "apt/old"), 1, 5)
	dir(t, filepath.Join(root, "apt/now"), 1, 5)
	done, err := c.Planning(t.Context(), func() {})
	must(t, err)
	must(t, os.WriteFile(filepath.Join(root, "apt/now/lock"), nil, 0o644))
	done()
	if freed, _, err = c.Settle("flavour", plan, nil, 1); err != nil || freed.Items != 1 || left(t, root) != "a now" {
		t.Errorf("freed %+v, error %v: %s", freed, err, left(t, root))
	}
	last := c.LastSizes("flavour")
	if len(last) != 1 || last["one"] < 10*block || last["one"] > 12*block {
		t.Errorf("last sizes: %v", last)
	}
	if last := c.LastSizes("flav"); len(last) != 0 {
		t.Errorf("of another flavour: %v", last)
	}
}

// TestSupersede: of images there are two in the cache, the newest ones, and those in use.
func TestSupersede(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"a", "b", "c", "d", "x", "y"} {
		result(t, root, name, 10, 5)
	}
	settle := func(flavour, image, other string) {
		t.Helper()
		c := open(t, root) // each build is a process of its own
		defer c.Store.Close()
		if _, _, err := c.Settle(flavour, map[string]string{"image": key(image), "other": key(other)}, map[string]Keep{"image": {flavour, 2}}, -1); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct{ flavour, image, other, want string }{
		{"f", "a", "x", "a b c d x y"}, {"f", "b", "y", "a b c d x y"},
		{"f", "a", "x", "a b c d x y"}, // taken back
		{"g", "c", "x", "a b c d x y"}, // another flavour
		{"f", "z", "x", "a b c d x y"}, // not made by this build
		{"f", "a", "x", "a b c d x y"}, {"f", "d", "x", "a c d x y"},
	} {
		if settle(step.flavour, step.image, step.other); left(t, root) != step.want {
			t.Errorf("after %s of %s: left are %s, not %s", step.image, step.flavour, left(t, root), step.want)
		}
	}
	user := open(t, root)
	if _, there, err := user.Store.Get(key("a")); err != nil || !there {
		t.Fatal(there, err)
	}
	if settle("f", "c", "x"); left(t, root) != "a c d x y" {
		t.Errorf("what is in use was removed: %s", left(t, root))
	}
}

// TestSupersedeShared: the newest result of a step stays as long as any flavour has it.
func TestSupersedeShared(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"a", "b", "c"} {
		result(t, root, name, 10, 5)
	}
	for _, step := range []struct{ flavour, result, want string }{
		{"f", "a", "a b c"}, {"g", "a", "a b c"},
		{"f", "b", "a b c"}, // g needs it
		{"g", "c", "b c"},
		{"f", "c", "c"},
	} {
		c := open(t, root)
		if _, _, err := c.Settle(step.flavour, map[string]string{"script": key(step.result)}, map[string]Keep{"script": {step.flavour, 1}}, -1); err != nil {
			t.Fatal(err)
		}
		c.Store.Close()
		if left(t, root) != step.want {
			t.Errorf("after %s of %s: left are %s, not %s", step.result, step.flavour, left(t, root), step.want)
		}
	}
}

// TestSizesAreRemembered: a directory is measured again only if it is another.
func TestSizesAreRemembered(t *testing.T) {
	root := t.TempDir()
	dir(t, filepath.Join(root, "sources/a"), 1, 1)
	usage := func() int64 {
		_, total, err := open(t, root).Usage()
		must(t, err)
		return total
	}
	first := usage()
	must(t, os.WriteFile(filepath.Join(root, "sources/a/more"), make([]byte, 10*block), 0o644))
	if again := usage(); again != first {
		t.Errorf("%d, then %d: it was measured again", first, again)
	}
	for _, bad := range []string{"", "{", "null", `{"dirs":3}`} {
		must(t, os.WriteFile(filepath.Join(root, "sizes.json"), []byte(bad), 0o644))
		if again := usage(); again < first+10*block {
			t.Errorf("after the memory held %q it is %d", bad, again)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(root, ".sizes*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestBudget(t *testing.T) {
	const disk = 100e9
	for text, want := range map[string]int64{
		"": 25e9, "20G": 20e9, "20GB": 20e9, "20GiB": 20 << 30, "20 g": 20e9, "1.5T": 1.5e12, "500m": 500e6, "30%": 30e9, "0.5%": 5e8, "100%": 100e9, "none": -1, "None": -1, "2000k": 2e6,
	} {
		b, err := ParseBudget(text)
		if err != nil || b.Of(disk) != want {
			t.Errorf("%q: %d, error %v; want %d", text, b.Of(disk), err, want)
		}
	}
	if got := (Budget{}).Of(10e9); got != defaultLeast {
		t.Errorf("of a small disk: %d", got)
	}
	for text, want := range map[string]string{
		"20": `did you mean "20G"?`, "nun": `did you mean "none"?`, "20gigs": `did you mean "20G"?`, "5 mega": `did you mean "5M"?`, "-5G": "neither", "0%": "1% to 100%", "150%": "1% to 100%", "0G": "cannot be the size", "1k": "cannot be the size", "99999999999T": "cannot be the size",
	} {
		if _, err := ParseBudget(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}

// TestDiskOf: a place that is not there yet is on the disk that will have it.
func TestDiskOf(t *testing.T) {
	dir := t.TempDir()
	a, err := DiskOf(dir)
	must(t, err)
	b, err := DiskOf(filepath.Join(dir, "not/there"))
	must(t, err)
	var st unix.Stat_t
	must(t, unix.Stat(dir, &st))
	if a.Device != b.Device || a.Device != st.Dev || a.Size <= 0 || a.Free > a.Size {
		t.Errorf("%+v, %+v", a, b)
	}
	if _, err := DiskOf(fmt.Sprintf("%s\x00", dir)); err == nil {
		t.Error("a path that cannot be is on a disk")
	}
}
