package reapi

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/treewright/treewright/builder/remote"
)

// TestRun: the command gets its inputs, in directories, with their modes. Blobs that the server has are not sent again. The result of
// an earlier execution is used unless Again is set.
func TestRun(t *testing.T) {
	w := newWorker()
	e := w.executor(t)
	a := &remote.Action{Arguments: []string{"bin/x", "ä"}, Outputs: []string{"out/b", "out/a", "out/b"}, Timeout: time.Minute, Platform: map[string]string{"b": "2", "a": "1", "c": ""}}
	want := ""
	a.Inputs = []remote.Input{
		input("z", []byte("small")), {Path: "bin/x", Executable: true, Digest: digestFrom(blobOf([]byte("program")).digest), Write: writing([]byte("program"))},
		input("bin/lib/deep/y", []byte("small")), input("bin.d/z", nil), input("large", content(300_000)), input("larger", content(400_000)),
		input("some/1", content(60_001)), input("some/2", content(60_002)), input("some/3", content(3)), input("some/4", content(4)), input("some/5", content(5)),
	}
	for _, line := range []struct {
		path string
		x    bool
		text []byte
	}{
		{"large", false, content(300_000)}, {"larger", false, content(400_000)}, {"z", false, []byte("small")}, {"bin/x", true, []byte("program")},
		{"bin/lib/deep/y", false, []byte("small")}, {"bin.d/z", false, nil}, {"some/1", false, content(60_001)}, {"some/2", false, content(60_002)},
		{"some/3", false, content(3)}, {"some/4", false, content(4)}, {"some/5", false, content(5)},
	} {
		want += fmt.Sprintf("%s %v %x\n", line.path, line.x, line.text[:min(len(line.text), 10)])
	}
	for _, test := range []struct {
		again, cached bool
		executed      int
	}{{false, false, 1}, {false, true, 1}, {true, false, 2}} {
		var out strings.Builder
		a.Again, a.Output = test.again, &out
		done, err := e.Run(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		if done.Cached != test.cached || w.calls["Execute"] != test.executed || done.Worker != "worker-1" || len(done.Outputs) != 2 || out.String() != "out\nerr\n" {
			t.Errorf("again %v: %+v after %d executions, log %q", test.again, done, w.calls["Execute"], &out)
		}
		for path, d := range done.Outputs {
			if got := fetch(t, e, d); got != path+"\n"+want {
				t.Errorf("%s is\n%s, want\n%s", path, got, want)
			}
		}
	}
	if w.calls["Write"] != 2 || w.calls["GetActionResult"] != 2 || w.skipped[0] || !w.skipped[1] {
		t.Errorf("the calls were %v, without the cache: %v", w.calls, w.skipped)
	}
	command, action := w.commands[0], w.acted[0]
	if got := fmt.Sprint(command.OutputPaths, action.Timeout.AsDuration(), action.DoNotCache); got != "[out/a out/b] 1m0s false" {
		t.Errorf("the Action is %s", got)
	}
	//lint:ignore SA1019 see encoded
	older := command.Platform
	platform := &repb.Platform{Properties: []*repb.Platform_Property{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}, {Name: "c"}}}
	if !proto.Equal(action.Platform, platform) || !proto.Equal(older, platform) {
		t.Errorf("the platform is %s, and %s", action.Platform, older)
	}
}

// TestBadAction: an Action that the API does not allow is an error.
func TestBadAction(t *testing.T) {
	w := newWorker()
	e := w.executor(t)
	file := func(path string) remote.Input { return input(path, []byte("x")) }
	for want, a := range map[string]*remote.Action{
		"the input ../x: this is not a path":       {Inputs: []remote.Input{file("../x")}},
		"the input /x: this is not a path":         {Inputs: []remote.Input{file("/x")}},
		"the input .: this is not a path":          {Inputs: []remote.Input{file(".")}},
		"the input a/b: a is an input":             {Inputs: []remote.Input{file("a"), file("a/b")}},
		"the input a: another input":               {Inputs: []remote.Input{file("a/b"), file("a")}},
		"the input b: another input":               {Inputs: []remote.Input{file("b"), file("b")}},
		`the input x: `:                            {Inputs: []remote.Input{{Path: "x", Digest: remote.Digest{Hash: "abc", Size: 1}}}},
		`"\xff" in an Action is not UTF-8`:         {Arguments: []string{"\xff"}},
		`the output "a/../b" is not a path`:        {Outputs: []string{"a/../b"}},
		`the output "/b" is not a path`:            {Outputs: []string{"/b"}},
		`"p\xfe" in an Action is not UTF-8`:        {Platform: map[string]string{"x": "p\xfe"}},
		"the input a\xff: this is not a path":      {Inputs: []remote.Input{file("a\xff")}},
		"send an input: an input has 300000 bytes": {Inputs: []remote.Input{input("x", content(300_000))}},
	} {
		w.can.MaxCasBlobSizeBytes = 200_000
		if _, err := e.Run(t.Context(), a); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if w.calls["Execute"] > 0 {
		t.Error("the Action was executed")
	}
}

// TestIdle: a server without the Execution service, or without SHA-256, does not get inputs.
func TestIdle(t *testing.T) {
	for name, can := range map[string]*repb.ExecutionCapabilities{
		"none":      nil,
		"disabled":  {DigestFunction: repb.DigestFunction_SHA256},
		"digests":   {ExecEnabled: true, DigestFunctions: []repb.DigestFunction_Value{repb.DigestFunction_BLAKE3}},
		"digest":    {ExecEnabled: true, DigestFunction: repb.DigestFunction_SHA1},
		"old":       {ExecEnabled: true, DigestFunction: repb.DigestFunction_SHA256},
		"old, none": {ExecEnabled: true},
	} {
		w := newWorker()
		w.execution = can
		e := w.executor(t)
		if strings.HasPrefix(name, "old") {
			check(t, e)
			continue
		}
		_, err := e.Run(t.Context(), simple())
		if err == nil || !strings.Contains(err.Error(), "does not execute Actions") || w.calls["BatchUpdateBlobs"] > 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestEarlier: the result of an earlier execution is not used if the server has removed an output, or if the command failed.
func TestEarlier(t *testing.T) {
	w := newWorker()
	e := w.executor(t)
	check(t, e)
	delete(w.blobs, blobOf([]byte(outputOfSimple)).digest.Hash)
	if done := check(t, e); done.Cached || w.calls["Execute"] != 2 || !w.skipped[1] {
		t.Errorf("without the output: %+v after %d executions", done, w.calls["Execute"])
	}
	for _, r := range w.results {
		r.ExitCode = 1
	}
	if done := check(t, e); done.Cached || w.calls["Execute"] != 3 || !w.skipped[2] {
		t.Errorf("after a failure: %+v after %d executions", done, w.calls["Execute"])
	}
	// An equal Action of another client ends after this client has called GetActionResult.
	w.refuse, w.with = map[string]int{"GetActionResult": 1}, codes.NotFound
	delete(w.blobs, blobOf([]byte(outputOfSimple)).digest.Hash)
	if done := check(t, e); done.Cached || w.calls["Execute"] != 5 || w.skipped[3] || !w.skipped[4] {
		t.Errorf("without the output, from Execute: %+v after %d executions", done, w.calls["Execute"])
	}
	w.refuse["GetActionResult"] = 1
	if done := check(t, e); !done.Cached {
		t.Errorf("from Execute: %+v", done)
	}
}

// TestFailedCommand: a command that ends with another status than 0 is not an error, and is executed once.
func TestFailedCommand(t *testing.T) {
	w := newWorker(func(x *execution) error {
		return x.done(&repb.ExecuteResponse{Result: &repb.ActionResult{ExitCode: 137}})
	})
	done, err := w.executor(t).Run(t.Context(), simple())
	if err != nil || done.Status != 137 || len(done.Outputs) != 0 || w.calls["Execute"] != 1 {
		t.Errorf("%+v, %v after %d executions", done, err, w.calls["Execute"])
	}
}

// TestAway: the client repeats a call if the server is temporarily unable to answer. It does not repeat calls after other errors.
func TestAway(t *testing.T) {
	for _, call := range []string{"GetCapabilities", "GetActionResult", "FindMissingBlobs", "BatchUpdateBlobs", "Write", "Execute"} {
		for code, passes := range map[codes.Code]bool{codes.Unavailable: true, codes.ResourceExhausted: true, codes.PermissionDenied: false, codes.Unimplemented: false} {
			w := newWorker()
			w.refuse, w.with = map[string]int{call: 2}, code
			if code != codes.Unavailable {
				w.refuse[call] = 1
			}
			a := simple()
			a.Inputs = append(a.Inputs, input("large", content(300_000)))
			_, err := w.executor(t).Run(t.Context(), a)
			if passes && err != nil || !passes && !has(err, code) {
				t.Errorf("%s is refused with %s: %v", call, code, err)
			}
			w = newWorker()
			w.refuse, w.with = map[string]int{call: -1}, code
			_, err = w.executor(t).Run(t.Context(), a)
			if !has(err, code) || !strings.HasPrefix(err.Error(), "grpc://127.0.0.1:") || strings.Count(err.Error(), "grpc://") > 1 {
				t.Errorf("%s is always refused: %v", call, err)
			}
		}
	}
}

// TestCredentials: each call has the headers of the helper, and errors do not show them.
func TestCredentials(t *testing.T) {
	leak := func(x *execution) error {
		return x.done(&repb.ExecuteResponse{Status: status.New(codes.InvalidArgument, "unknown: "+token).Proto()})
	}
	w := newWorker(func(x *execution) error {
		return errors.Join(x.state(nil), status.Error(codes.Unavailable, "away"))
	}, func(x *execution) error { <-x.stream.Context().Done(); return nil }, leak)
	w.header, w.value = "authorization", "Bearer "+token
	helper := program(t, `echo '{"headers": {"Authorization": ["Bearer `+token+`"]}}'`)
	e, err := openExecution(remote.Access{URL: "grpc://" + w.start(t) + "/some/instance", Helper: helper}, eager)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for w.count("WaitExecution") == 0 {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	if _, err := e.Run(ctx, simple()); !errors.Is(err, context.Canceled) || len(w.cancelled) != 1 {
		t.Errorf("%v, %d cancelled", err, len(w.cancelled))
	}
	if _, err := e.Run(t.Context(), simple()); !has(err, codes.InvalidArgument) || strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
}

func (s *server) count(call string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[call]
}
