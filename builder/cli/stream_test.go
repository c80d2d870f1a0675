package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"
)

func TestNothingPrintedHasPasswords(t *testing.T) {
	const url = "http://user:secret@host/x"
	name := filepath.Join(t.TempDir(), "out")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c := &command{Out: streamOn(f), Err: streamOn(f)}
	if code := c.exit(t.Context(), fmt.Errorf("get %s: %w", url, errors.New("refused"))); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	w := tabwriter.NewWriter(c.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "a\t%s\tb\n", url)
	w.Flush()
	if n, err := io.WriteString(c.Out, url+"\n"); n != len(url)+1 || err != nil {
		t.Errorf("wrote %d, %v", n, err)
	}
	if n, err := io.Copy(c.Out, strings.NewReader(url+"\n")); n != int64(len(url)+1) || err != nil {
		t.Errorf("copied %d, %v", n, err)
	}
	out, err := os.ReadFile(name)
	if err != nil || strings.Contains(string(out), "secret") || strings.Count(string(out), "http://user:***@host/x") != 4 {
		t.Errorf("error %v:\n%s", err, out)
	}
}
