package download

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// longestLine is the maximum size of a line of an answer in bytes.
const longestLine = 1 << 20

// Lines posts body to source once, and gives each line of the answer to line, as soon as it is complete. An error that line returns ends the
// request. Each line counts as progress, however short it is: the server may work for long, and reports that by lines. Any answer but 200
// is a *StatusError, with said as the first bytes of its body.
func (c *Client) Lines(ctx context.Context, source, contentType string, body []byte, line func([]byte) error) (said []byte, err error) {
	watch, ctx := NewWatch(ctx)
	defer watch.End()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, source, bytes.NewReader(body))
	if err != nil {
		return nil, Permanent(err)
	}
	req.Header.Set("Content-Type", contentType)
	watch.Within(c.timing.Answer, noAnswer)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, watch.Why(err)
	}
	defer resp.Body.Close()
	watch.Within(c.timing.Stall, noLine)
	if resp.StatusCode != http.StatusOK {
		said, _ = io.ReadAll(io.LimitReader(resp.Body, longestLine)) // the part that came is of use
		return said, statusError(req, resp)
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, longestLine)
	for lines.Scan() {
		watch.Within(c.timing.Stall, noLine)
		if err := line(lines.Bytes()); err != nil {
			return nil, err
		}
	}
	err = lines.Err()
	if errors.Is(err, bufio.ErrTooLong) {
		return nil, Permanent(fmt.Errorf("the server sent a line of more than %d bytes", longestLine))
	}
	if err != nil {
		return nil, watch.Why(err)
	}
	return nil, nil
}
