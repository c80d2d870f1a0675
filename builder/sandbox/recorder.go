package sandbox

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Recorder notes what the programs of a step look at in its tree. It belongs to a [Child],
// which gets End as one of its files, and calls [Record].
type Recorder struct {
	End *os.File

	socket *os.File
	stop   int // an eventfd(2)
	done   chan struct{}
	looks  Looks
}

// Looks are what was looked at.
type Looks struct {
	// Paths are relative to the tree, and no part of one but the last is a symbolic link.
	// The value is true if what counts is more than lstat(2) reports: a file's content, a
	// directory's entries.
	Paths map[string]bool
	// Whole reports whether all looks were seen. Why is the reason if they were not.
	Whole bool
	Why   string
}

// NewRecorder returns a recorder, which [Recorder.Finish] must end.
func NewRecorder() (*Recorder, error) {
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("record a step: %w", err)
	}
	r := &Recorder{End: os.NewFile(uintptr(ends[1]), "record"), socket: os.NewFile(uintptr(ends[0]), "recorder"), done: make(chan struct{})}
	if r.stop, err = unix.Eventfd(0, unix.EFD_CLOEXEC); err != nil {
		r.End.Close()
		r.socket.Close()
		return nil, fmt.Errorf("record a step: %w", err)
	}
	go r.run()
	return r, nil
}

// Finish ends the recorder, after the child has ended, and returns what was looked at.
func (r *Recorder) Finish() Looks {
	r.End.Close()
	one := [8]byte{1}
	_, _ = unix.Write(r.stop, one[:])
	<-r.done
	r.socket.Close()
	unix.Close(r.stop)
	return r.looks
}

// run notes looks until the child has ended.
func (r *Recorder) run() {
	defer close(r.done)
	r.looks.Why = "the kernel does not let this process see what a step looks at"
	listener, tree, err := r.receive()
	if err != nil {
		return
	}
	defer unix.Close(listener)
	// The kernel wakes the process that waits on the same processor, as nothing else is to
	// do there. Before Linux 6.6 it can't.
	_, _, _ = unix.Syscall(unix.SYS_IOCTL, uintptr(listener), notifSetFlags, unix.SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	w := newWatcher(listener, tree)
	defer w.close()
	w.serve(r.stop)
	r.looks = Looks{Paths: w.paths, Whole: w.fault == nil}
	if w.fault != nil {
		r.looks.Why = w.fault.Error()
	}
}

// receive waits for the child's listener, and for the path that it has its tree at.
func (r *Recorder) receive() (listener int, tree string, err error) {
	if ready, err := wait(int(r.socket.Fd()), r.stop); !ready {
		return -1, "", errors.Join(errors.New("nothing is recorded"), err)
	}
	text, rights := make([]byte, unix.PathMax), make([]byte, unix.CmsgSpace(4))
	n, rn, _, _, err := unix.Recvmsg(int(r.socket.Fd()), text, rights, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return -1, "", err
	}
	messages, err := unix.ParseSocketControlMessage(rights[:rn])
	if err != nil || len(messages) != 1 {
		return -1, "", errors.Join(errors.New("nothing is recorded"), err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return -1, "", errors.Join(errors.New("nothing is recorded"), err)
	}
	return fds[0], string(text[:n]), nil
}

// wait waits until fd has something, and returns false if stop has first, or if no process is left
// that could write.
func wait(fd, stop int) (bool, error) {
	for {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}, {Fd: int32(stop), Events: unix.POLLIN}}
		_, err := unix.Poll(fds, -1)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return false, err
		case fds[0].Revents&unix.POLLIN != 0:
			return true, nil
		case fds[1].Revents != 0 || fds[0].Revents&(unix.POLLHUP|unix.POLLNVAL) != 0:
			return false, nil
		}
		// POLLERR: the kernel could not look at a listener, because a signal, such as those of Go's scheduler, came while it waited for
		// the listener's lock (seccomp_notify_poll in kernel/seccomp.c). Without the listener all calls of the step would fail (ENOSYS).
	}
}

// serve answers for all calls that are stopped: they go on as usual.
func (w *watcher) serve(stop int) {
	for {
		ready, err := wait(w.listener, stop)
		if err != nil {
			w.spoil(err)
		}
		if !ready {
			return
		}
		var n notification
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(w.listener), unix.SECCOMP_IOCTL_NOTIF_RECV, uintptr(unsafe.Pointer(&n))); errno != 0 {
			continue // the process was killed meanwhile
		}
		if w.fault == nil {
			w.note(&n)
		}
		a := answer{id: n.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
		// It fails if the process was killed meanwhile.
		_, _, _ = unix.Syscall(unix.SYS_IOCTL, uintptr(w.listener), unix.SECCOMP_IOCTL_NOTIF_SEND, uintptr(unsafe.Pointer(&a)))
	}
}
