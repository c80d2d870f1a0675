package gardenlinux

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/plan/plantest"
	"github.com/treewright/treewright/builder/publish"
)

// publishCName publishes a cname and nothing else into output.
func publishCName(store *layer.Store, g *plan.Graph, output string, n names) error {
	f := &publish.Finished{Store: store, Graph: g, Manifest: &publish.Manifest{}, Names: n}
	return f.Publish(context.Background(), publish.PrivateOutput(output, outputKind, "kvm-amd64-1"))
}

func TestPublish(t *testing.T) {
	store, g := plantest.Results(t)
	output := t.TempDir()
	n := names{base: "kvm-amd64-1-0123", link: "kvm", listed: []string{"tar", "x"}}
	read := func(name string) string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(output, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	// A second time, and over what an earlier build left, it is the same.
	for range 2 {
		if err := publishCName(store, g, output, n); err != nil {
			t.Fatal(err)
		}
		if got := read("kvm-amd64-1-0123.x"); got != "content of x" {
			t.Errorf("the artifact holds %q", got)
		}
		want := "kvm-amd64-1-0123.tar\nkvm-amd64-1-0123.tar.log\nkvm-amd64-1-0123.x\nkvm-amd64-1-0123.x.log\n"
		if got := read("kvm"); got != want {
			t.Errorf("the link leads to %q", got)
		}
		log := read("kvm-amd64-1-0123.x.log")
		for _, id := range []string{"rootfs/tree", "artifacts/tar", "artifacts/x"} {
			if strings.Count(log, "said by "+id+"\n") != 1 {
				t.Errorf("the log does not have what %s said, once:\n%s", id, log)
			}
		}
		if strings.Contains(log, "tools") {
			t.Errorf("the log has what the tools said:\n%s", log)
		}
	}
	entries, err := os.ReadDir(output)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 7 { // with .private
		t.Errorf("in the output there are %v", entries)
	}
}

func TestPublishKeepsWhatIsThere(t *testing.T) {
	store, g := plantest.Results(t)
	output := t.TempDir()
	if err := os.Mkdir(filepath.Join(output, "kvm"), 0o755); err != nil {
		t.Fatal(err)
	}
	err := publishCName(store, g, output, names{base: "kvm-amd64-1-0123", link: "kvm", listed: []string{"tar"}})
	if err == nil || !strings.Contains(err.Error(), "move it away") {
		t.Errorf("got %v", err)
	}
	if entries, _ := os.ReadDir(output); len(entries) != 2 {
		t.Errorf("half a build was published: %v", entries)
	}
}

// TestPublishedFilesAreCopies: the same for the files of a cname, which have
// two names.
func TestPublishedFilesAreCopies(t *testing.T) {
	store, g := plantest.Results(t)
	output := t.TempDir()
	n := names{base: "kvm-amd64-1-0123", link: "kvm", listed: []string{"tar", "x"}}
	var said []string
	publish := func() {
		t.Helper()
		said = nil
		f := &publish.Finished{Store: store, Graph: g, Manifest: &publish.Manifest{}, Names: n, Say: func(line string) { said = append(said, line) }}
		if err := f.Publish(t.Context(), publish.PrivateOutput(output, outputKind, "kvm-amd64-1")); err != nil {
			t.Fatal(err)
		}
	}
	publish()
	publish() // it may read what has got one more name
	file := filepath.Join(output, "kvm-amd64-1-0123.x")
	if err := os.WriteFile(file, []byte("edited"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := store.Verify(g.Key("artifacts/x")); err != nil {
		t.Errorf("it reached the cache: %v", err)
	}
	publish()
	if len(said) != 1 || !strings.HasPrefix(said[0], file+" has 6 bytes, not 12") {
		t.Errorf("said %q", said)
	}
	if raw, err := os.ReadFile(file); err != nil || string(raw) != "content of x" {
		t.Errorf("it holds %q, error %v", raw, err)
	}
	if publish(); len(said) != 0 {
		t.Errorf("said %q of what was put right", said)
	}
}
