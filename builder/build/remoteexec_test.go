package build

import (
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/cache"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/remote"
	"github.com/treewright/treewright/builder/worker"
)

// notes is a sink that keeps the lines of events of the kind Note.
type notes struct{ lines []string }

// Emit implements [event.Sink].
func (n *notes) Emit(e event.Event) {
	if e.Kind == event.Note {
		n.lines = append(n.lines, e.Line)
	}
}

// Close implements [event.Sink].
func (n *notes) Close() error { return nil }

// TestWhoCarriesOut: an option or the tree names the server for remote execution. Builds that compare results, and offline builds, run on
// this machine.
func TestWhoCarriesOut(t *testing.T) {
	tree := &config.Project{RemoteExec: &config.RemoteExec{RemoteServer: config.RemoteServer{URL: config.Line{Text: "grpc://tree:1"}}, Platform: []config.Line{{Text: "Pool=tree"}}}}
	for what, tc := range map[string]struct {
		options Options
		project *config.Project
		url     string // "" for this machine
		note    string
	}{
		"neither":                 {Options{}, &config.Project{}, "", ""},
		"an option":               {Options{Exec: ExecOptions{URL: "grpc://option:1"}}, &config.Project{}, "grpc://option:1", ""},
		"the tree":                {Options{}, tree, "grpc://tree:1", ""},
		"both":                    {Options{Exec: ExecOptions{URL: "grpc://option:1"}}, tree, "grpc://option:1", ""},
		"none":                    {Options{Exec: ExecOptions{URL: NoRemote}}, tree, "", ""},
		"offline":                 {Options{Offline: true}, tree, "", "because this build is offline"},
		"verify":                  {Options{Again: true}, tree, "", "because a server can answer with results of earlier builds"},
		"verify with an option":   {Options{Again: true, Offline: true, Exec: ExecOptions{URL: "grpc://option:1"}}, &config.Project{}, "", "because a server can answer with results of earlier builds"},
		"verify without a server": {Options{Again: true}, &config.Project{}, "", ""},
	} {
		opened, here := "", &engine.Local{}
		b := &Builder{options: tc.options, backend: Backend{
			Arch: "amd64", Executor: func(event.Sink) engine.Executor { return here },
			OpenExec: func(access remote.Access) (remote.Executor, error) { opened = access.URL; return nil, nil },
		}}
		heard, e := &notes{}, &engine.Engine{}
		if err := b.executor(e, &Prepared{Subject: &Subject{Project: tc.project}, Cache: &cache.Cache{}}, reporter{heard}); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if opened != tc.url || (e.Executor == here) != (tc.url == "") || (e.Sent == nil) != (tc.url == "") {
			t.Errorf("%s: steps are sent to %q", what, opened)
		}
		if sender, ok := e.Executor.(*worker.Sender); ok {
			if _, tree := sender.Platforms("amd64").Properties["Pool"]; tree != (tc.url == "grpc://tree:1") {
				t.Errorf("%s: the workers must have properties of the tree: %v", what, tree)
			}
		}
		if (tc.note == "") != (len(heard.lines) == 0) || !slices.ContainsFunc(append(heard.lines, ""), func(line string) bool { return strings.HasSuffix(line, tc.note) }) {
			t.Errorf("%s: the notes are %q", what, heard.lines)
		}
	}
}

// TestPlatforms: the properties are the architecture of a step by its name in the API, the properties of the tree, and the properties of
// options.
func TestPlatforms(t *testing.T) {
	named := &config.RemoteExec{Platform: []config.Line{{Text: "Pool=small"}, {Text: "arm64:Pool=arm"}}}
	platforms, err := ExecOptions{Platform: []string{"amd64:OSFamily=", "Fast=yes"}}.platforms(named, "amd64")
	if err != nil {
		t.Fatal(err)
	}
	for arch, want := range map[string]map[string]string{
		"amd64": {"ISA": "x86-64", "Pool": "small", "Fast": "yes"}, "arm64": {"ISA": "arm-a64", "OSFamily": "linux", "Pool": "arm", "Fast": "yes"},
	} {
		got := platforms(arch)
		for name, value := range want {
			if got.Properties[name] != value {
				t.Errorf("%s: %s is %q, want %q", arch, name, got.Properties[name], value)
			}
		}
		if len(got.Properties) != len(want) || (got.Program == "") != (arch == "arm64") {
			t.Errorf("%s: %+v", arch, got)
		}
	}
}
