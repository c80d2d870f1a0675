//go:build servers

package reapi

import (
	"bytes"
	"context"
	"io"
	"os"
	"testing"

	"github.com/treewright/treewright/builder/remote"
)

func input(path string, text []byte) remote.Input {
	return remote.Input{Path: path, Digest: digestFrom(blobOf(text).digest), Write: writing(text)}
}

func fetch(t testing.TB, e remote.Executor, d remote.Digest) []byte {
	t.Helper()
	var got bytes.Buffer
	if err := e.Fetch(context.Background(), d, func(r io.Reader) error { _, err := got.ReadFrom(r); return err }); err != nil {
		t.Error(err)
	}
	return got.Bytes()
}

func TestRealExecution(t *testing.T) {
	e, err := OpenExecution(remote.Access{URL: os.Getenv("TREEWRIGHT_TEST_REAPI")})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	var out bytes.Buffer
	a := &remote.Action{
		Arguments: []string{"/bin/sh", "-c", "id; env; pwd; ls -lR .; ls -ld out; cat in/a/x in/y > out/sub/file; echo fault >&2; exit 3"},
		Inputs:    []remote.Input{input("in/a/x", []byte("one\n")), input("in/y", []byte("two\n"))},
		Outputs:   []string{"out/sub/file", "never"},
		Output:    &out,
	}
	for range 2 {
		done, err := e.Run(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%+v\n%s", done, out.Bytes())
		t.Logf("%s", fetch(t, e, done.Outputs["out/sub/file"]))
	}
}
