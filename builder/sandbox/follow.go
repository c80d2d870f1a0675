package sandbox

import (
	"bufio"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// mostLinks is how many symbolic links the kernel follows on the way to a file.
const mostLinks = 40

// follower goes the way of one path as the kernel does, and notes each symbolic link, the file
// at the end, and missing files.
type follower struct {
	w *noted
	p *process
	// exec means that the file is executed: the kernel also opens its interpreter.
	exec    bool
	outside bool // a part of the way is on another file system: /tmp, /dev
	links   int
}

// follow follows a path, given from the root of the tree, and reports whether a part of the way was
// not on the tree's file system.
func (f *follower) follow(path string, content bool) (outside bool) {
	if f.straight(path, content) {
		return false
	}
	f.walk("", strings.Split(path, "/"), content)
	return f.outside
}

// straight is follow for the usual case: a file of the tree with no symbolic link on the way.
// It is false if it is not that case.
func (f *follower) straight(path string, content bool) bool {
	if f.p.root != "" || strings.Contains(path, "/..") {
		return false
	}
	path = clean(path)
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_XDEV}
	fd, err := unix.Openat2(f.w.tree, path, &how)
	if err != nil {
		return false
	}
	unix.Close(fd)
	f.found(path, content)
	return true
}

// clean is path.Clean for paths without "..", made relative.
func clean(path string) string {
	parts := strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
	kept := parts[:0]
	for _, part := range parts {
		if part != "." {
			kept = append(kept, part)
		}
	}
	if len(kept) == 0 {
		return "."
	}
	return strings.Join(kept, "/")
}

// found notes the file at the end of a way.
func (f *follower) found(path string, content bool) {
	f.w.keep(path, content)
	if f.exec && !f.w.read[path] {
		f.w.read[path] = true
		f.interpreter(path)
	}
}

// walk goes on from a directory, given from the tree.
func (f *follower) walk(at string, parts []string, content bool) {
	at = strings.Trim(at, "/")
	for n, part := range parts {
		switch part {
		case "", ".":
			continue
		case "..":
			if root := strings.Trim(f.p.root, "/"); at != root {
				at = strings.TrimSuffix(at[:strings.LastIndex(at, "/")+1], "/")
			}
			continue
		}
		next := strings.TrimPrefix(at+"/"+part, "/")
		if next == "proc" && f.p.inside {
			f.w.keep(next, false)
			f.inProc(parts[n+1:], content)
			return
		}
		var st unix.Stat_t
		err := unix.Fstatat(f.w.tree, next, &st, unix.AT_SYMLINK_NOFOLLOW)
		here := f.here(at, &st, err)
		if err != nil {
			if !here {
				return
			}
			f.w.keep(next, content)
			return
		}
		if st.Mode&unix.S_IFMT == unix.S_IFLNK {
			if here {
				f.w.keep(next, false)
			}
			f.link(at, next, parts[n+1:], content)
			return
		}
		if st.Mode&unix.S_IFMT != unix.S_IFDIR || ends(parts[n+1:]) {
			f.arrive(next, here, content)
			return
		}
		at = next
	}
	if at == "" {
		f.w.keep(".", content)
		return
	}
	// It ends with "..".
	f.arrive(at, f.here(at, nil, nil), content)
}

// ends reports whether the path ends here.
func ends(parts []string) bool {
	return !slices.ContainsFunc(parts, func(part string) bool { return part != "" && part != "." })
}

// arrive notes the file at the end of a way, or a file on the way that is not a directory.
func (f *follower) arrive(path string, here, content bool) {
	if here {
		f.found(path, content)
	} else if f.exec {
		f.interpreter(path)
	}
}

// here reports whether a name in the directory at is on the tree's own file system. st is the answer of lstat(2).
func (f *follower) here(at string, st *unix.Stat_t, err error) bool {
	if err == nil && st != nil && st.Mode&unix.S_IFMT == unix.S_IFDIR {
		if st.Dev != f.w.at.device {
			f.outside = true
		}
		return st.Dev == f.w.at.device
	}
	// Other files may have the device of the layer that they are in.
	var in unix.Stat_t
	if at == "" {
		at = "."
	}
	if unix.Fstatat(f.w.tree, at, &in, unix.AT_SYMLINK_NOFOLLOW) != nil || in.Dev != f.w.at.device {
		f.outside = true
		return false
	}
	return true
}

// link goes on where a symbolic link leads to.
func (f *follower) link(at, name string, rest []string, content bool) {
	buffer := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(f.w.tree, name, buffer)
	if f.links++; err != nil || f.links > mostLinks {
		return
	}
	f.to(at, string(buffer[:n]), rest, content)
}

func (f *follower) to(at, target string, rest []string, content bool) {
	if strings.HasPrefix(target, "/") {
		at = f.p.root
	}
	f.walk(at, append(strings.Split(target, "/"), rest...), content)
}

// inProc goes on in /proc, which is another one for each program: its links lead into the
// tree.
func (f *follower) inProc(parts []string, content bool) {
	f.outside = true
	var words []string
	for _, part := range parts {
		if part != "" && part != "." {
			words = append(words, part)
		}
	}
	if len(words) < 2 {
		return
	}
	if strings.Contains("/"+strings.Join(words, "/")+"/", "/../") {
		f.w.spoil(errors.New("a program went up from a directory of /proc"))
		return
	}
	name, rest := words[1], words[2:]
	if name == "task" && len(rest) > 1 {
		name, rest = rest[1], rest[2:]
	}
	if name == "fd" && len(rest) > 0 {
		name, rest = "fd/"+rest[0], rest[1:]
	}
	if name != "root" && name != "cwd" && name != "exe" && !strings.HasPrefix(name, "fd/") {
		return
	}
	link := f.p.proc(name)
	if _, err := strconv.Atoi(words[0]); err == nil {
		// What another program has may change meanwhile, except for its root. systemd's programs find out by
		// that of the first process whether they are in a chroot.
		if name != "root" {
			f.w.spoil(fmt.Errorf("a program looked at a file of another one: /proc/%s", strings.Join(words, "/")))
			return
		}
		link = f.p.proc("root/proc/" + words[0] + "/root")
	}
	text, err := os.Readlink(link)
	if f.links++; err != nil || f.links > mostLinks || !strings.HasPrefix(text, "/") || strings.HasSuffix(text, deletedMark) {
		return
	}
	f.walk("", append(strings.Split(text, "/"), rest...), content)
}

// interpreter notes what the kernel opens to start a program.
func (f *follower) interpreter(path string) {
	fd, err := unix.Openat(f.w.tree, path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0)
	if err != nil {
		return
	}
	file := os.NewFile(uintptr(fd), path)
	defer file.Close()
	name := scriptInterpreter(file)
	if name == "" {
		name = elfInterpreter(file)
	}
	if f.links++; name == "" || f.links > mostLinks {
		return
	}
	at := f.p.root
	if !strings.HasPrefix(name, "/") {
		if at, err = os.Readlink(f.p.proc("cwd")); err != nil {
			return
		}
	}
	f.walk(at, strings.Split(name, "/"), true)
}

// scriptInterpreter returns the program after "#!" on the first line, "" without one.
func scriptInterpreter(file *os.File) string {
	line, _ := bufio.NewReader(io.LimitReader(file, 256)).ReadString('\n') // BINPRM_BUF_SIZE
	rest, ok := strings.CutPrefix(line, "#!")
	if words := strings.Fields(rest); ok && len(words) > 0 {
		return words[0]
	}
	return ""
}

// elfInterpreter returns the program that loads another one.
func elfInterpreter(file *os.File) string {
	program, err := elf.NewFile(file)
	if err != nil {
		return ""
	}
	for _, part := range program.Progs {
		if part.Type == elf.PT_INTERP {
			name, err := io.ReadAll(io.LimitReader(part.Open(), unix.PathMax))
			if err == nil {
				return strings.TrimRight(string(name), "\x00")
			}
		}
	}
	return ""
}
