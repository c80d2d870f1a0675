package layer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// sparseRecord is the PAX record of a file that is packed without its long runs of zeros. It has the size of the file, and OFFSET+LENGTH
// for each packed part, in bytes, separated by blanks. The record is specific to this program, because archive/tar does not write the
// records of GNU tar.
const sparseRecord = "TREEWRIGHT.sparse"

const (
	// sparseBlock is the size, in bytes, of the blocks that are compared with zeros.
	sparseBlock = 64 << 10
	// leastHole is the length, in bytes, of the shortest run of zeros that is left out.
	leastHole = 1 << 20
	// mostParts is the largest number of parts, because archive/tar reads records of at most 1 MiB.
	mostParts = 16 << 10
	// mostSize is the largest size, in bytes, of a sparse file. Without a limit, an archive of a few bytes could keep a reader busy for
	// days.
	mostSize = 256 << 30
)

// part is a part of a file between long runs of zeros.
type part struct{ offset, length int64 }

// partsOf returns the parts of a file between its long runs of zeros; nil if the file does not have such runs. The parts depend on the
// content of the file, and not on its holes on the disk.
func partsOf(f *os.File, size int64) (parts []part, err error) {
	least := max(leastHole, size/mostParts)
	buf := make([]byte, sparseBlock)
	end := int64(0) // the end of the last part
	for at := int64(0); at < size; {
		// Holes on the disk are zeros, and are not read.
		data, err := unix.Seek(int(f.Fd()), at, unix.SEEK_DATA)
		switch {
		case errors.Is(err, unix.ENXIO):
			data = size
		case err != nil:
			data = at // the file system does not support holes
		}
		if at = data / sparseBlock * sparseBlock; at >= size {
			break
		}
		n, err := f.ReadAt(buf[:min(sparseBlock, size-at)], at)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if !bytes.Equal(buf[:n], zeros[:n]) {
			if len(parts) > 0 && at-end < least {
				parts[len(parts)-1].length += at + int64(n) - end
			} else if len(parts) == 0 && at < least {
				parts = append(parts, part{0, at + int64(n)})
			} else {
				parts = append(parts, part{at, int64(n)})
			}
			end = at + int64(n)
		}
		at += sparseBlock
	}
	if len(parts) > 0 && size-end < least {
		parts[len(parts)-1].length += size - end
	}
	if len(parts) == 1 && parts[0].length == size || len(parts) == 0 && size < least {
		return nil, nil
	}
	if len(parts) == 0 {
		parts = []part{{0, 0}} // the file has only zeros
	}
	return parts, nil
}

func formatParts(size int64, parts []part) string {
	text := strconv.FormatInt(size, 10)
	for _, p := range parts {
		text += fmt.Sprintf(" %d+%d", p.offset, p.length)
	}
	return text
}

// parseParts reads the text of formatParts. content is the number of bytes in the archive. The lengths of the parts must add up to content.
func parseParts(text string, content int64) (size int64, parts []part, err error) {
	wrong := fmt.Errorf("the record %s is damaged", sparseRecord)
	words := strings.Split(text, " ")
	if size, err = strconv.ParseInt(words[0], 10, 64); err != nil || size < 0 || size > mostSize {
		return 0, nil, wrong
	}
	end := int64(0)
	for _, word := range words[1:] {
		offset, length, ok := strings.Cut(word, "+")
		o, oerr := strconv.ParseInt(offset, 10, 64)
		l, lerr := strconv.ParseInt(length, 10, 64)
		if !ok || oerr != nil || lerr != nil || o < end || l < 0 || l > content || o > size-l {
			return 0, nil, wrong
		}
		end, content = o+l, content-l
		parts = append(parts, part{o, l})
	}
	if content != 0 {
		return 0, nil, wrong
	}
	return size, parts, nil
}
