package worker

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/treetest"
)

// wholeGraph returns a graph with a layer of all kinds of files, with equal layers below another layer, with sources and an artifact.
func wholeGraph(t *testing.T) *plan.Graph {
	t.Helper()
	source := t.TempDir()
	treetest.Write(t, filepath.Join(source, "dir/script"), "text\n")
	if err := os.Chmod(filepath.Join(source, "dir/script"), 0o755); err != nil {
		t.Fatal(err)
	}
	x := plan.Source{Name: "features/x", Digest: "sha256:1", Path: source}
	y := plan.Source{Name: "features/y", Digest: "sha256:1", Path: source} // with the same content
	return graphOf(t,
		files.Step(map[string]string{"etc/read": "x", "etc/removed": "r", "etc/replaced/old": "o", "etc/changed": "c"}, plan.Step{ID: "base"}),
		nothing.Step(struct{}{}, plan.Step{ID: "equal/one", Base: "base"}),
		nothing.Step(struct{}{}, plan.Step{ID: "equal/two", Base: "equal/one"}),
		variety.Step(struct{}{}, plan.Step{ID: "variety", Base: "equal/two", Tools: "base", Sources: []plan.Source{x, y}}),
		nothing.Step(struct{}{}, plan.Step{ID: "top", Base: "variety"}),
		reads.Step(struct{}{}, plan.Step{ID: "reads", Base: "top"}),
		artifact.Step(struct{}{}, plan.Step{
			ID: "artifact", Inputs: map[string]string{"tree": "top"}, Output: plan.Dir, Artifacts: []plan.Artifact{{Name: "file", Path: "file", Kind: plan.FileArtifact}},
		}),
	)
}

// TestRootSameBytes: machines make the same results as this machine, including records and logs.
func TestRootSameBytes(t *testing.T) {
	needRoot(t)
	g := wholeGraph(t)
	m := newMachines(t)
	here, there := newBuilder(t, nil), newBuilder(t, m)
	here.build(t, g)
	there.build(t, g)
	there.silent(t)
	sameResults(t, g, there, here)
	if m.ran == 0 || m.answered > 0 {
		t.Errorf("%d commands ran, and %d results were known", m.ran, m.answered)
	}
	ran := m.ran
	// Another builder with an empty cache asks for the same Actions.
	again := newBuilder(t, m)
	again.build(t, g)
	again.silent(t)
	sameResults(t, g, again, here)
	if m.ran != ran || m.answered == 0 {
		t.Errorf("for the second builder %d commands ran, and %d results were known", m.ran-ran, m.answered)
	}
	lines := func(e event.Event) string {
		if e.Kind == event.StepOutput {
			return e.Line
		}
		return ""
	}
	if got, want := there.sink.texts("variety", lines), here.sink.texts("variety", lines); !slices.Equal(got, want) || len(got) != 12 {
		t.Errorf("lines of output are %q, here %q", got, want)
	}
	used := func(e event.Event) string { return map[event.Kind]string{event.StepUsed: "used"}[e.Kind] }
	if got := there.sink.texts("variety", used); len(got) != 1 {
		t.Errorf("%d events have the kind StepUsed", len(got))
	}
}

// TestRootRepeated: Repeat executes the step again. It does not use the server's earlier result.
func TestRootRepeated(t *testing.T) {
	needRoot(t)
	g := wholeGraph(t)
	m := newMachines(t)
	b := newBuilder(t, m)
	b.build(t, g)
	ran := m.ran
	index, err := b.Repeat(t.Context(), g, "variety")
	if err != nil {
		t.Fatal(err)
	}
	if was, err := b.store.Index(g.Key("variety")); err != nil || index != was {
		t.Errorf("after Repeat the index is %s, before %s, error %v", index, was, err)
	}
	if m.ran != ran+1 {
		t.Errorf("%d commands ran", m.ran-ran)
	}
}

// TestRootFailures: a step that fails on another machine gives the same error, warnings and log as on this machine.
func TestRootFailures(t *testing.T) {
	needRoot(t)
	for _, way := range []string{"command", "paths", "fault"} {
		g := graphOf(t, fails.Step(way, plan.Step{ID: "fails"}))
		m := newMachines(t)
		there := newBuilder(t, m)
		got, log := failureOf(t, there, g)
		want, wantLog := failureOf(t, newBuilder(t, nil), g)
		there.silent(t)
		if got.Error() != want.Error() || got.Command != want.Command || !slices.Equal(got.Paths, want.Paths) || !slices.Equal(got.Warnings, want.Warnings) || len(want.Warnings) != 1 {
			t.Errorf("%s: %v, %+v\nhere %v, %+v", way, got, got, want, want)
		}
		if (way == "fault") != (want.Fault != nil) || (want.Fault == nil) != (got.Fault == nil) || got.Fault != nil && got.Fault.List.Error() != want.Fault.List.Error() {
			t.Errorf("%s: the fault is %v, here %v", way, got.Fault, want.Fault)
		}
		if log != wantLog || !strings.HasPrefix(log, "about to fail\n") {
			t.Errorf("%s: the log is\n%s\nhere\n%s", way, log, wantLog)
		}
		if m.ran != 1 {
			t.Errorf("%s: %d commands ran", way, m.ran)
		}
	}
}

func failureOf(t *testing.T, b *builder, g *plan.Graph) (*engine.StepError, string) {
	t.Helper()
	_, err := b.Run(t.Context(), g, g.Targets())
	var failed *engine.StepError
	if !errors.As(err, &failed) {
		t.Fatalf("the error is %v", err)
	}
	log, err := os.ReadFile(failed.Log)
	if err != nil {
		t.Fatal(err)
	}
	return failed, string(log)
}

// TestRootDisturbed: if the machines fail, the results are the same, and one warning has the reason.
func TestRootDisturbed(t *testing.T) {
	needRoot(t)
	g := wholeGraph(t)
	here := newBuilder(t, nil)
	here.build(t, g)
	for what, tc := range map[string]struct {
		disturb func(m *machines, b *builder)
		warning string
	}{
		"evicted once":      {func(m *machines, _ *builder) { m.evict = 1 }, ""},
		"evicted each time": {func(m *machines, _ *builder) { m.evict = 1000 }, "the rest of this build runs on this machine"},
		"lost":              {func(m *machines, _ *builder) { m.lose = true }, "the server has lost "},
		"wrong bytes":       {func(m *machines, _ *builder) { m.spoil = 1 }, "bytes that do not match their digest"},
		"silent":            {func(m *machines, _ *builder) { m.silent = true }, "the worker here did not carry out base: its command ended with status 7: it does not start; the rest of this build runs on this machine"},
		"no program":        {func(_ *machines, b *builder) { b.program = "" }, "such steps run on this machine, the first of them is base"},
		"no directory":      {func(m *machines, _ *builder) { m.kept += "/missing/kept" }, "the worker here cannot carry out steps: mkdir"},
	} {
		m := newMachines(t)
		b := newBuilder(t, m)
		tc.disturb(m, b)
		b.build(t, g)
		sameResults(t, g, b, here)
		if tc.warning == "" {
			b.silent(t)
		} else if len(b.warned) != 1 || !strings.Contains(b.warned[0], tc.warning) || !strings.HasPrefix(b.warned[0], "remote execution at grpc://machines: ") {
			t.Errorf("%s: warned of %q", what, b.warned)
		}
	}
}

// TestRootOtherProgram: a machine with another version of a step's program does not run the step. It runs other steps.
func TestRootOtherProgram(t *testing.T) {
	needRoot(t)
	m := newMachines(t)
	b := newBuilder(t, m)
	b.build(t, graphOf(t,
		nothing.Step(struct{}{}, plan.Step{ID: "bootstrap", Family: "debian", Program: "mmdebstrap 0.0.0"}),
		files.Step(map[string]string{"a": "b"}, plan.Step{ID: "files", Base: "bootstrap"}),
	))
	b.oneStays(t, m, "it does not have mmdebstrap 0.0.0", "bootstrap")
}

// TestRootOtherVersion: a worker does not carry a step out if its program has another version of the action.
func TestRootOtherVersion(t *testing.T) {
	needRoot(t)
	m := newMachines(t)
	b := newBuilder(t, m)
	later := nothing.Step(struct{}{}, plan.Step{ID: "later"})
	later.Version++
	b.build(t, graphOf(t, later, nothing.Step(struct{}{}, plan.Step{ID: "same"})))
	b.oneStays(t, m, `it has another version of this program: the action "nothing-for-test" has the version 1, and not 2; --remote-program must name a program of the same version`, "later")
}

// TestRootStays: steps that have secrets, use the network, or follow a repository stay on this machine.
func TestRootStays(t *testing.T) {
	needRoot(t)
	m := newMachines(t)
	b := newBuilder(t, m)
	b.Secrets = map[string][]byte{"password": []byte("correct horse")}
	b.build(t, graphOf(t,
		nothing.Step(struct{}{}, plan.Step{ID: "secret", Secrets: []plan.Secret{{Name: "password", Version: "1"}}}),
		nothing.Step(struct{}{}, plan.Step{ID: "network", Network: true}),
		nothing.Step(struct{}{}, plan.Step{ID: "history", Sources: []plan.Source{{Name: "repo", Digest: "ostree:1", Path: t.TempDir()}}}),
	))
	b.silent(t)
	if m.ran > 0 {
		t.Errorf("%d commands ran on machines", m.ran)
	}
}

// TestRootLooks: another machine returns the record of the files that a step looked at. So the step does not run for a tree with the same
// files.
func TestRootLooks(t *testing.T) {
	needRoot(t)
	on := func(tree map[string]string) *plan.Graph {
		return graphOf(t, files.Step(tree, plan.Step{ID: "base"}), reads.Step(struct{}{}, plan.Step{ID: "reads", Base: "base"}))
	}
	m := newMachines(t)
	b := newBuilder(t, m)
	b.build(t, on(map[string]string{"etc/read": "one"}))
	if out := b.build(t, on(map[string]string{"etc/read": "one", "etc/other": "x"})); out.Ran["reads"] || !out.Ran["base"] {
		t.Errorf("%v ran in a tree with another file", out.Ran)
	}
	g := on(map[string]string{"etc/read": "two"})
	if out := b.build(t, g); !out.Ran["reads"] {
		t.Error("the step did not run for a tree in which a file that it looks at differs")
	}
	if got := treetest.Content(t, filepath.Join(b.store.Data(g.Key("reads")), "made")); got != "of two" {
		t.Errorf("it made %q", got)
	}
	b.silent(t)
}

// TestRootStreamed: the lines of a step are emitted while it runs.
func TestRootStreamed(t *testing.T) {
	needRoot(t)
	m := newMachines(t)
	b := newBuilder(t, m)
	b.sink.hear = func(e event.Event) {
		if e.Kind == event.StepOutput && e.Line == "waiting" {
			dirs, _ := filepath.Glob(filepath.Join(m.kept, "drafts/*/scratch"))
			for _, dir := range dirs {
				_ = os.WriteFile(filepath.Join(dir, "seen"), nil, 0o644)
			}
		}
	}
	b.build(t, graphOf(t, waits.Step(struct{}{}, plan.Step{ID: "waits"})))
	b.silent(t)
}

// TestRootCancelled: a build that is cancelled ends at once, and does not run the step on this machine.
func TestRootCancelled(t *testing.T) {
	needRoot(t)
	b := newBuilder(t, newMachines(t))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	lines := 0
	b.sink.hear = func(e event.Event) {
		if e.Kind == event.StepOutput {
			lines++
			cancel()
		}
	}
	g := graphOf(t, waits.Step(struct{}{}, plan.Step{ID: "waits"}))
	if _, err := b.Run(ctx, g, g.Targets()); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	b.silent(t)
	if lines != 1 {
		t.Errorf("%d lines of output", lines)
	}
}

// TestRootSecretsStay: a step with a secret is not sent. A step that works on its result is not sent, because the result can hold the
// secret.
func TestRootSecretsStay(t *testing.T) {
	needRoot(t)
	const token = "hidden-word-27"
	m := newMachines(t)
	b := newBuilder(t, m)
	b.Secrets = map[string][]byte{"token": []byte(token)}
	b.build(t, graphOf(t,
		files.Step(map[string]string{"etc/read": "x"}, plan.Step{ID: "base"}),
		files.Step(map[string]string{"etc/allowed": token}, plan.Step{ID: "with", Base: "base", Secrets: []plan.Secret{{Name: "token", Version: "1"}}, MayHold: []string{"/etc/allowed"}}),
		nothing.Step(struct{}{}, plan.Step{ID: "top", Base: "with"}),
		nothing.Step(struct{}{}, plan.Step{ID: "beside", Base: "base"}),
	))
	b.silent(t)
	if sent, here := b.Executor.(*Sender).Counts(); m.ran != 2 || sent != 2 || here != 2 {
		t.Errorf("%d commands ran; %d steps count as carried out by workers, and %d by this machine, want 2, 2 and 2", m.ran, sent, here)
	}
	if found := treetest.Holding(t, m.kept, token); len(found) > 0 {
		t.Errorf("the secret is in %q on a worker", found)
	}
}
