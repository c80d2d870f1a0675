package added

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/extend"
)

// make asks the server to make an image, and waits until it has.
func (s server) make(ctx context.Context, q extend.Request) error {
	body, err := json.Marshal(q.Sorted())
	if err != nil {
		return err
	}
	last, shown := extend.Message{}, extend.Message{}
	said, err := s.client.Lines(ctx, s.url, "application/json", body, func(line []byte) error {
		var m extend.Message
		if err := json.Unmarshal(line, &m); err != nil {
			return fmt.Errorf("read the answer of the server: %w", err)
		}
		last = m
		// The end of a step is not reported: the start of the next step implies it.
		if now := progress(m); now != "" && (m.State != shown.State || m.Step != shown.Step || m.Ahead != shown.Ahead) {
			shown = m
			s.client.Say(now)
		}
		return nil
	})
	if err != nil {
		return refused(err, said)
	}
	switch last.State {
	case extend.Done:
		return nil
	case extend.Failed:
		return failure(last.Failure)
	}
	return errors.New("the server stopped in the middle: the answer has no end")
}

// refused is the error of an answer that is not 200. A builder describes the reason as in an answer that failed; a web server
// that has only files refuses a POST.
func refused(err error, said []byte) error {
	var status *download.StatusError
	if !errors.As(err, &status) {
		return err
	}
	var m extend.Message
	if json.Unmarshal(said, &m) == nil && m.Failure != nil {
		f := failure(m.Failure)
		var of *extend.Failure
		if errors.As(f, &of) && of.Reason == extend.Busy && status.RetryAfter > 0 {
			return fmt.Errorf("%s: %w", of.Text, err) // tried again when the server allows it
		}
		return f
	}
	switch status.Code {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusForbidden, http.StatusNotImplemented:
		return download.Permanent(errDoesNotMake)
	}
	return err
}

// failure is the error of a failed request. Only a request to a busy server is tried again.
func failure(f *extend.Failure) error {
	switch {
	case f == nil:
		return errors.New("the server does not report the reason of the failure")
	case f.Reason == extend.Busy:
		return f
	}
	return download.Permanent(f)
}

// progress returns a message as a line for users, "" for a message without news.
func progress(m extend.Message) string {
	switch m.State {
	case extend.Queued:
		if m.Ahead == 1 {
			return "the server is busy: 1 request comes first"
		}
		return fmt.Sprintf("the server is busy: %d requests come first", m.Ahead)
	case extend.Running:
		switch {
		case m.Step == "":
			return ""
		case m.Steps == 0: // before the first step
			return "the server makes the image: " + m.Step
		}
		return fmt.Sprintf("the server makes the image: %s (%d of %d)", m.Step, min(m.Ended+1, m.Steps), m.Steps)
	}
	return ""
}
