package reapi

import (
	"errors"
	"io"
	"strings"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc/codes"

	"github.com/treewright/treewright/builder/remote"
)

// TestWrongOutcome: an ActionResult with unexpected outputs or impossible digests is an error. The test uses results of
// new and of earlier executions.
func TestWrongOutcome(t *testing.T) {
	file := func(path, hash string, size int64) *repb.OutputFile {
		return &repb.OutputFile{Path: path, Digest: &repb.Digest{Hash: hash, SizeBytes: size}}
	}
	for name, result := range map[string]*repb.ActionResult{
		"another output": {OutputFiles: []*repb.OutputFile{file("../out", keyOf(1), 1)}},
		"more outputs":   {OutputFiles: []*repb.OutputFile{file("out", keyOf(1), 1), file("out2", keyOf(1), 1)}},
		"two":            {OutputFiles: []*repb.OutputFile{file("out", keyOf(1), 1), file("out", keyOf(2), 1)}},
		"no digest":      {OutputFiles: []*repb.OutputFile{{Path: "out"}}},
		"odd digest":     {OutputFiles: []*repb.OutputFile{file("out", "../../etc", 1)}},
		"negative":       {OutputFiles: []*repb.OutputFile{file("out", keyOf(1), -1)}},
		"endless":        {OutputFiles: []*repb.OutputFile{file("out", keyOf(1), mostBytes+1)}},
		"directory":      {OutputDirectories: []*repb.OutputDirectory{{Path: "out"}}},
		"link":           {OutputSymlinks: []*repb.OutputSymlink{{Path: "out", Target: "/etc/shadow"}}},
	} {
		for _, earlier := range []bool{false, true} {
			w := newWorker(func(x *execution) error { return x.done(&repb.ExecuteResponse{Result: result}) })
			e := w.executor(t)
			if earlier {
				action, _, err := encoded(simple())
				if err != nil {
					t.Fatal(err)
				}
				w.results["some/instance/"+action.Hash] = result
			}
			_, err := e.Run(t.Context(), simple())
			wrong := name != "directory" && name != "link"
			if err == nil || errors.Is(err, remote.ErrWrong) != wrong || !wrong && !strings.Contains(err.Error(), "in place of an output file") {
				t.Errorf("%s, earlier %v: %v", name, earlier, err)
			}
		}
	}
}

// TestFetch: Fetch checks the size and the SHA-256 of an output, like Get of a cache.
func TestFetch(t *testing.T) {
	for _, compressed := range []bool{true, false} {
		w := newWorker()
		if !compressed {
			w.can.SupportedCompressors = nil
		}
		e := w.executor(t)
		d := digestFrom(blobOf(content(200_000)).digest)
		read := func(d remote.Digest) error {
			return e.Fetch(t.Context(), d, func(r io.Reader) error { _, err := io.Copy(io.Discard, r); return err })
		}
		if err := read(d); !errors.Is(err, remote.ErrMissing) || !strings.Contains(err.Error(), "get an output: ") {
			t.Error(err)
		}
		w.blobs[d.Hash] = content(200_000)
		if got := fetch(t, e, d); got != string(content(200_000)) {
			t.Errorf("%d bytes", len(got))
		}
		w.refuse, w.with = map[string]int{"Read": 3}, codes.Unavailable
		if got := fetch(t, e, d); len(got) != 200_000 {
			t.Errorf("from a server that is away for a moment: %d bytes", len(got))
		}
		w.send = func(b []byte) []byte { return b[:len(b)-1] }
		if err := read(d); !errors.Is(err, remote.ErrWrong) {
			t.Error(err)
		}
		if err := read(remote.Digest{Hash: d.Hash, Size: -1}); !errors.Is(err, remote.ErrWrong) {
			t.Error(err)
		}
		calls := w.calls["Read"]
		if got := fetch(t, e, digestFrom(blobOf(nil).digest)); got != "" || w.calls["Read"] > calls {
			t.Errorf("the empty blob is %q", got)
		}
		w.refuse, w.with = map[string]int{"Read": -1}, codes.PermissionDenied
		if err := read(d); !has(err, codes.PermissionDenied) {
			t.Error(err)
		}
	}
}
