package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
)

// mostText is the largest number of bytes of an output that is read into memory.
const mostText = 64 << 20

// receive fetches the outputs of an Action for a step, and fills the step's draft.
func (s *Sender) receive(ctx context.Context, r *engine.Request, done *left) (layer.Result, error) {
	var none layer.Result
	raw, err := s.text(ctx, done, replyOutput)
	if err != nil {
		return none, err
	}
	if raw == nil {
		last := ""
		if len(done.lines) > 0 {
			last = ": " + event.CleanLine(strings.TrimRight(done.lines[len(done.lines)-1], "\r\n"))
		}
		return none, fmt.Errorf("%s did not carry out %s: its command ended with status %d%s", done.worker(), r.Step.ID, done.Status, last)
	}
	var reply engine.Reply
	if err := json.Unmarshal(raw, &reply); err != nil {
		return none, fmt.Errorf("read the reply of %s: %w", done.worker(), err)
	}
	if !reply.Done {
		return none, &unfitError{fmt.Sprintf("%s cannot carry out steps: %s", done.worker(), event.CleanLine(reply.Error))}
	}
	if err := s.events(ctx, r, done); err != nil {
		return none, err
	}
	if reply.Error != "" {
		return none, &engine.Failure{Command: reply.Command, Fault: reply.Fault, Paths: reply.Paths, Warnings: reply.Result.Warnings, Err: errors.New(reply.Error)}
	}
	if r.Looks != "" {
		looks, err := s.text(ctx, done, looksOutput)
		if err != nil {
			return none, err
		}
		if looks != nil {
			if err := os.WriteFile(r.Looks, looks, 0o644); err != nil {
				return none, &ownError{err}
			}
		}
	}
	return reply.Result, event.Timed(ctx, "fetch the result", func() error { return s.data(ctx, r, done, reply.Result) })
}

// data fetches the data of a step into its draft.
func (s *Sender) data(ctx context.Context, r *engine.Request, done *left, result layer.Result) error {
	digest, ok := done.Outputs[done.name(dataOutput)]
	if !ok {
		return fmt.Errorf("%s did not return data of %s", done.worker(), r.Step.ID)
	}
	err := s.There.Fetch(ctx, digest, func(content io.Reader) error {
		err := r.Draft.Fill(content, result)
		if engine.OfDisk(err) {
			err = &ownError{r.Draft.ExplainFull(err)}
		} else if err != nil {
			// The digest is checked at the end. So read the rest, and return the error of the digest if the bytes are wrong.
			if _, wrong := io.Copy(io.Discard, content); wrong != nil {
				err = wrong
			}
		}
		return err
	})
	if err == nil {
		r.Draft.DataSum = layer.DataSum{SHA256: digest.Hash, Size: digest.Size}
	}
	return err
}

// events fetches the events of a step, and emits them.
func (s *Sender) events(ctx context.Context, r *engine.Request, done *left) error {
	raw, err := s.text(ctx, done, eventsOutput)
	if err != nil {
		return err
	}
	heard := &engine.Local{Sink: s.Sink}
	return heard.Hear(r.Step.ID, raw)
}

// text returns the content of an output, which must fit into memory; nil if the Action does not have the output.
func (s *Sender) text(ctx context.Context, done *left, name string) (text []byte, err error) {
	digest, ok := done.Outputs[done.name(name)]
	if !ok {
		return nil, nil
	}
	if digest.Size > mostText {
		return nil, fmt.Errorf("%s returned %d bytes in %s", done.worker(), digest.Size, name)
	}
	err = s.There.Fetch(ctx, digest, func(content io.Reader) error {
		text, err = io.ReadAll(content)
		return err
	})
	if text == nil {
		text = []byte{}
	}
	return text, err
}
