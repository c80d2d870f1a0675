package gardenlinux

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxQuery bounds a line, in bytes: so much memory a single line may take.
const maxQuery = 64 << 20

// answerBatch answers every line of the input with one line; defaults are for what
// a query leaves out. Only the end of the input, a signal, or an output that cannot
// be written ends it.
func answerBatch(ctx context.Context, tree *Features, defaults Query, in io.Reader, out io.Writer) error {
	done := make(chan error, 1)
	go func() { done <- answerAll(tree, defaults, in, out) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done(): // The reading cannot be interrupted; the process ends.
		return ctx.Err()
	}
}

func answerAll(tree *Features, defaults Query, r io.Reader, w io.Writer) error {
	in, out := bufio.NewReaderSize(r, 1<<16), bufio.NewWriterSize(w, 1<<16)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for {
		line, err := readLine(in, maxQuery)
		if errors.Is(err, io.EOF) {
			return out.Flush()
		}
		var answer any
		if err == nil {
			answer, err = tree.Answer(line, defaults)
		} else if !errors.Is(err, errLongLine) {
			return errors.Join(fmt.Errorf("reading queries: %w", err), out.Flush())
		}
		if err != nil {
			answer = map[string]string{"error": oneLine(err)}
		}
		if err := enc.Encode(answer); err != nil {
			return fmt.Errorf("writing answers: %w", err)
		}
		// A caller that asks one question at a time waits for the answer.
		if in.Buffered() == 0 {
			if err := out.Flush(); err != nil {
				return fmt.Errorf("writing answers: %w", err)
			}
		}
	}
}

var errLongLine = fmt.Errorf("the line is longer than %d MiB", maxQuery>>20)

// readLine returns the next line without its end, or io.EOF after the last.
// Of a line longer than most nothing is returned but errLongLine, and the next
// call goes on after it.
func readLine(r *bufio.Reader, most int) ([]byte, error) {
	var line []byte
	long := false
	for {
		part, err := r.ReadSlice('\n')
		if long = long || len(line)+len(part) > most; long {
			line = nil
		} else {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil && !errors.Is(err, io.EOF):
			return nil, err
		case long:
			return nil, errLongLine
		case err != nil && len(line) == 0:
			return nil, io.EOF
		}
		return bytes.TrimSuffix(line, []byte("\n")), nil
	}
}
