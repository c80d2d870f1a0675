package imagetool

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// Move moves bytes from one file into another and frees the space they took in
// the first, piece by piece, so that both never need it at once. Holes stay
// holes.
type Move struct {
	Input, Output             string
	InputOffset, OutputOffset int64
	// Length is how many bytes to move at most, -1 for all there are.
	Length int64
}

const movePiece = 1 << 20

// Run carries the move out. The output is made if it does not exist, and is
// as long afterwards as what was moved needs, even if that ends with a hole.
// Both files must be on file systems that can punch holes.
func (m Move) Run() error {
	if m.InputOffset < 0 || m.OutputOffset < 0 || m.Length < -1 {
		return errors.New("offsets and length are not negative")
	}
	in, err := os.OpenFile(m.Input, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(m.Output, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	err = m.move(in, out)
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	return err
}

func (m Move) move(in, out *os.File) error {
	// Not Stat: a device's size is its end.
	size, err := in.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if m.InputOffset > size {
		return fmt.Errorf("%s has %d bytes: nothing is at offset %d", m.Input, size, m.InputOffset)
	}
	length := size - m.InputOffset
	if m.Length >= 0 {
		length = min(length, m.Length)
	}
	if same, err := sameFile(in, out); err != nil {
		return err
	} else if same && m.InputOffset < m.OutputOffset+length && m.OutputOffset < m.InputOffset+length {
		return errors.New("input and output overlap")
	}
	if length == 0 {
		return nil
	}
	if err := m.prepare(out, length); err != nil {
		return err
	}
	return m.copyData(in, out, length)
}

// prepare makes the place in the output a hole.
func (m Move) prepare(out *os.File, length int64) error {
	end, err := out.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if end < m.OutputOffset+length {
		if err := out.Truncate(m.OutputOffset + length); err != nil {
			return err
		}
	}
	return punch(out, m.OutputOffset, length)
}

func (m Move) copyData(in, out *os.File, length int64) error {
	buf := make([]byte, movePiece)
	for at := int64(0); at < length; {
		data, err := in.Seek(m.InputOffset+at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			return nil // the rest is a hole
		}
		if err != nil {
			return fmt.Errorf("look for data in %s: %w", m.Input, err)
		}
		hole, err := in.Seek(data, unix.SEEK_HOLE)
		if err != nil {
			return fmt.Errorf("look for holes in %s: %w", m.Input, err)
		}
		at = data - m.InputOffset
		for end := min(hole-m.InputOffset, length); at < end; {
			piece := buf[:min(end-at, movePiece)]
			if _, err := in.ReadAt(piece, m.InputOffset+at); err != nil {
				return fmt.Errorf("read %s: %w", m.Input, err)
			}
			if _, err := out.WriteAt(piece, m.OutputOffset+at); err != nil {
				return err
			}
			if err := punch(in, m.InputOffset+at, int64(len(piece))); err != nil {
				return err
			}
			at += int64(len(piece))
		}
	}
	return nil
}

func sameFile(a, b *os.File) (bool, error) {
	ai, err := a.Stat()
	if err != nil {
		return false, err
	}
	bi, err := b.Stat()
	if err != nil {
		return false, err
	}
	return os.SameFile(ai, bi), nil
}

func punch(f *os.File, offset, length int64) error {
	err := unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, offset, length)
	if err != nil {
		return fmt.Errorf("punch a hole into %s: %w", f.Name(), err)
	}
	return nil
}
