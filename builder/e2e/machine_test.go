//go:build e2e

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// machine is what a commit becomes on a computer, without a kernel: the commit
// read-only, an /etc and a /var of the machine's own, and the two programs that
// fill them, systemd-sysusers and systemd-tmpfiles. It takes seconds where a
// virtual machine takes minutes. Nothing stays mounted between two calls: each
// program gets a mount namespace of its own.
type machine struct {
	t    *testing.T
	p    *project
	repo string
	dir  string // etc, var, and the checkout of each commit
	tree string // the checkout of the commit that runs
	// extensions are the directories of those that are merged.
	extensions []string
}

// newMachine is a machine that was never started, with the given commit of the
// repository of p's last build.
func newMachine(t *testing.T, p *project, repo, commit string) *machine {
	t.Helper()
	m := &machine{t: t, p: p, repo: repo, dir: t.TempDir()}
	m.tree = m.checkout(commit)
	if err := os.Mkdir(filepath.Join(m.dir, "var"), 0o755); err != nil {
		t.Fatal(err)
	}
	m.host("cp", "-a", m.tree+"/usr/etc", filepath.Join(m.dir, "etc"))
	// The service manager does this before it starts anything (machine-id(5)).
	m.run("systemd-machine-id-setup")
	return m
}

// inTree is the script that every program of the machine is started by. Its
// arguments are the checkout, the machine's directory, and the program's.
const inTree = `set -eu
tree=$1 dir=$2
shift 2
mount --bind "$tree" "$tree"
for name in etc var; do
	mount --bind "$dir/$name" "$tree/$name"
done
mount -o remount,bind,ro "$tree"
mount -t proc proc "$tree/proc"
for name in run tmp dev; do
	mount -t tmpfs tmpfs "$tree/$name"
done
for name in null zero urandom; do
	: > "$tree/dev/$name"
	mount --bind "/dev/$name" "$tree/dev/$name"
done
if [ -n "${EXTENSIONS:-}" ]; then
	mount -t overlay overlay -o "lowerdir=$EXTENSIONS:$tree/usr" "$tree/usr"
fi
exec chroot "$tree" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 "$@"
`

// try runs a program in the machine and returns all it printed.
func (m *machine) try(argv ...string) (string, error) {
	cmd := exec.Command("unshare", append([]string{"--mount", "--pid", "--fork", "--kill-child", "sh", "-c", inTree, "machine", m.tree, m.dir}, argv...)...)
	var merged []string
	for _, dir := range m.extensions {
		merged = append(merged, filepath.Join(dir, "usr"))
	}
	cmd.Env = append(os.Environ(), "EXTENSIONS="+strings.Join(merged, ":"))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// run is try for a program that must succeed; its last line end is cut off.
func (m *machine) run(argv ...string) string {
	m.t.Helper()
	out, err := m.try(argv...)
	if err != nil {
		m.t.Fatalf("%s: %v\n%s", strings.Join(argv, " "), err, out)
	}
	return strings.TrimSuffix(out, "\n")
}

// boot does what a start of the machine does to /etc and /var, and returns what
// the programs say.
func (m *machine) boot() string {
	m.t.Helper()
	out := m.run("systemd-sysusers")
	return out + m.run("systemd-tmpfiles", "--create", "--remove", "--boot", "--exclude-prefix=/dev")
}

// upgrade brings the machine to another commit of its repository, as ostree
// does: /var stays, and what was changed in /etc is carried over to the new
// commit's.
func (m *machine) upgrade(commit string) {
	m.t.Helper()
	next := m.checkout(commit)
	before, now := m.tree+"/usr/etc", filepath.Join(m.dir, "etc")
	merged := filepath.Join(m.dir, "etc.new")
	m.host("cp", "-a", next+"/usr/etc", merged)
	for _, rel := range changed(m.t, before, now) {
		m.host("rm", "-rf", filepath.Join(merged, rel))
		if _, err := os.Lstat(filepath.Join(now, rel)); err == nil {
			m.host("mkdir", "-p", filepath.Dir(filepath.Join(merged, rel)))
			m.host("cp", "-a", filepath.Join(now, rel), filepath.Join(merged, rel))
		}
	}
	m.host("rm", "-rf", now)
	m.host("mv", merged, now)
	m.tree = next
}

// checkout unpacks a commit by the ostree of the project's tools layer.
func (m *machine) checkout(commit string) string {
	m.t.Helper()
	dir := filepath.Join(m.dir, commit)
	var layers []string
	for i, id := range []string{"tools/install-commit-tools", "rootfs/bootstrap"} {
		// mount(8) reads commas and colons in paths.
		plain := filepath.Join(m.t.TempDir(), fmt.Sprint(i))
		if err := os.Symlink(m.p.result(id), plain); err != nil {
			m.t.Fatal(err)
		}
		layers = append(layers, plain)
	}
	const script = `set -eu
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay overlay -o "lowerdir=$1,upperdir=/mnt/upper,workdir=/mnt/work" /mnt/root
mount -t proc proc /mnt/root/proc
mkdir /mnt/root/repo /mnt/root/out
mount --bind "$2" /mnt/root/repo
mount --bind "$3" /mnt/root/out
exec chroot /mnt/root ostree --repo=/repo checkout "$4" /out/"$4"
`
	m.host("unshare", "--mount", "sh", "-c", script, "checkout", strings.Join(layers, ":"), m.repo, m.dir, commit)
	if err := os.Mkdir(filepath.Join(dir, "etc"), 0o755); err != nil {
		m.t.Fatal(err)
	}
	return dir
}

// host runs a program outside of the machine.
func (m *machine) host(argv ...string) {
	m.t.Helper()
	if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
		m.t.Fatalf("%s: %v\n%s", strings.Join(argv, " "), err, out)
	}
}

// result is where the cache keeps what a step of the last build made.
func (p *project) result(id string) string {
	p.t.Helper()
	for _, s := range p.manifest().Steps {
		if s.ID == id {
			return filepath.Join(p.cache, "store/results", s.Key, "data")
		}
	}
	p.t.Fatalf("the build has no step %s", id)
	return ""
}

// changed lists what is not in now as it is in before: paths relative to both,
// of what was changed, added or removed. What is below a path in the list is
// not listed itself, except for directories whose mode or owner alone changed.
func changed(t *testing.T, before, now string) []string {
	t.Helper()
	var list []string
	look := func(dir, other string, both bool) {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(dir, path)
			if err != nil || rel == "." {
				return err
			}
			here, there := describe(t, path), describe(t, filepath.Join(other, rel))
			if there == "" || both && here != there {
				list = append(list, rel)
				if d.IsDir() {
					return fs.SkipDir
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	look(now, before, true)
	look(before, now, false)
	return list
}

// describe is all of a file that ostree compares, "" if it is not there.
func describe(t *testing.T, path string) string {
	t.Helper()
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	st := info.Sys().(*syscall.Stat_t)
	var b bytes.Buffer
	fmt.Fprintf(&b, "%v %d %d ", info.Mode(), st.Uid, st.Gid)
	switch info.Mode().Type() {
	case fs.ModeSymlink:
		target, err := os.Readlink(path)
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(target)
	case 0:
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(content)
	}
	return b.String()
}
