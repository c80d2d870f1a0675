package layer

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// formatIndex writes an index as text; see [indexFile].
func formatIndex(entries []entry) []byte {
	var b []byte
	word := func(s string) {
		if s == "" {
			s = "-"
		}
		b = append(append(b, s...), ' ')
	}
	for i := range entries {
		e := &entries[i]
		b = append(strconv.AppendUint(b, uint64(e.mode), 8), ' ')
		b = append(strconv.AppendUint(b, uint64(e.uid), 10), ' ')
		b = append(strconv.AppendUint(b, uint64(e.gid), 10), ' ')
		b = append(strconv.AppendInt(b, e.size, 10), ' ')
		b = append(strconv.AppendInt(b, e.mtime, 10), ' ')
		shared, sum, target := "", e.sum, e.target
		if e.shared {
			shared = "s"
		}
		if e.first != "" {
			sum, target = "=", e.first
		}
		word(shared)
		word(sum)
		word(e.xattrs)
		word(e.object)
		b = strconv.AppendQuote(b, e.path)
		if target != "" {
			b = strconv.AppendQuote(append(b, ' '), target)
		}
		b = append(b, '\n')
	}
	return b
}

// parseIndex reads what formatIndex wrote.
func parseIndex(text []byte) ([]entry, error) {
	entries := make([]entry, 0, bytes.Count(text, []byte{'\n'}))
	for line := range strings.Lines(string(text)) {
		e, err := parseEntry(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", len(entries)+1, err)
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func parseEntry(line string) (e entry, err error) {
	rest := line
	word := func() string {
		w, after, _ := strings.Cut(rest, " ")
		rest = after
		if w == "-" {
			return ""
		}
		return w
	}
	number := func(base, bits int) int64 {
		n, nerr := strconv.ParseInt(word(), base, bits)
		err = errors.Join(err, nerr)
		return n
	}
	quoted := func() string {
		q, qerr := strconv.QuotedPrefix(rest)
		rest = strings.TrimPrefix(rest[len(q):], " ")
		s, uerr := strconv.Unquote(q)
		err = errors.Join(err, qerr, uerr)
		return s
	}
	e.mode, e.uid, e.gid = uint32(number(8, 33)), uint32(number(10, 33)), uint32(number(10, 33))
	e.size, e.mtime = number(10, 64), number(10, 64)
	e.shared, e.sum, e.xattrs = word() == "s", word(), word()
	if !strings.HasPrefix(rest, `"`) { // an earlier version kept none
		e.object = word()
	}
	e.path = quoted()
	if rest != "" {
		e.target = quoted()
	}
	if e.sum == "=" {
		e.first, e.sum, e.target = e.target, "", ""
	}
	return e, err
}

// formatSeen and parseSeen are for [seenFile].
func formatSeen(entries []entry) []byte {
	var b bytes.Buffer
	for i := range entries {
		// A buffer takes all that memory holds.
		_ = binary.Write(&b, binary.LittleEndian, entries[i].seen)
	}
	return b.Bytes()
}

// parseSeen fills in what was seen of the entries. What does not fit tells
// nothing, and then all is read.
func parseSeen(raw []byte, entries []entry) {
	const size = 16
	if len(raw) != size*len(entries) {
		return
	}
	for i := range entries {
		entries[i].Inode = binary.LittleEndian.Uint64(raw[size*i:])
		entries[i].Change = int64(binary.LittleEndian.Uint64(raw[size*i+8:]))
	}
}

// OnAllCores calls do for 0 to n-1, several at a time, until one fails. It
// returns the error of the lowest number that failed.
func OnAllCores(n int, do func(i int) error) error {
	var (
		next   atomic.Int64
		failed atomic.Bool
		wg     sync.WaitGroup
		mu     sync.Mutex
		first  = n
		err    error
	)
	for range min(runtime.NumCPU(), n) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for !failed.Load() {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if ierr := do(i); ierr != nil {
					failed.Store(true)
					mu.Lock()
					if i < first {
						first, err = i, ierr
					}
					mu.Unlock()
				}
			}
		}()
	}
	wg.Wait()
	return err
}

func hashBytes(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func timeOf(nanoseconds int64) string {
	return time.Unix(0, nanoseconds).UTC().Format("2006-01-02 15:04:05.999999999")
}

// kindName names a type of file in a sentence.
func kindName(kind uint32) string {
	switch kind {
	case unix.S_IFREG:
		return "a file"
	case unix.S_IFDIR:
		return "a directory"
	case unix.S_IFLNK:
		return "a symbolic link"
	case unix.S_IFCHR:
		return "a character device"
	case unix.S_IFBLK:
		return "a block device"
	case unix.S_IFIFO:
		return "a named pipe"
	}
	return "a socket"
}

// entry is one file of an index.
type entry struct {
	mode, uid, gid uint32
	size, mtime    int64
	// shared means that the file has names outside the result (a download's in
	// the cache of downloads, an object's in a history): link(2) there changes
	// its ctime, and a write there is a write here. Nothing but its content
	// reports whether it is good.
	shared bool
	sum    string // "", for what has no content
	xattrs string // "" without any
	object string // the checksum of its OSTree object, "" if it is not known
	path   string // relative to the data, "." first
	target string // a symbolic link's
	first  string // of a further name: the path of the first one

	seen
}

// seen is what identifies a file on this disk, unchanged.
type seen struct {
	Inode  uint64
	Change int64 // ctime in nanoseconds since 1970
}
