package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/secret"
	"github.com/treewright/treewright/builder/treetest"
)

const (
	token  = "hidden-word-27"
	coded  = "aGlkZGVuLXdvcmQtMj" // the characters in its middle, however it is encoded
	coded2 = "oaWRkZW4td29yZC0yN"
	coded3 = "hpZGRlbi13b3JkLTI3"
)

// withSecret runs the helper, which has the secret token and may leave it in
// /etc/allowed, by an action for scripts.
func withSecret(t *testing.T, store *layer.Store, action, do string, given map[string][]byte) (*plan.Graph, *recorder, error) {
	t.Helper()
	plain, err := scriptGraph(helperDir(t), do, "")
	if err != nil {
		t.Fatal(err)
	}
	step := *plain.Step(scriptID)
	switch step.Action = action; action {
	case "post":
		step.Tools = "base"
	case "build":
		step.Output = plan.Dir
	}
	step.Secrets, step.MayHold = []plan.Secret{{Name: "token", Version: "1"}}, []string{"/etc/allowed"}
	g := &plan.Graph{}
	if err := errors.Join(g.Add(*plain.Step("base")), g.Add(step)); err != nil {
		t.Fatal(err)
	}
	sink := &recorder{}
	e := &Engine{Store: store, Sink: sink, Executor: &Local{Sink: sink}, FailedLogs: filepath.Join(rootOf(store), "failed"), Secrets: given}
	_, err = e.Run(context.Background(), g, g.Targets())
	return g, sink, err
}

// unsaid finds the secret, as it is or in base64, in what was said and in the files below a
// directory, those apart that may hold it.
func unsaid(t *testing.T, sink *recorder, dir string) {
	t.Helper()
	for _, form := range []string{token, coded, coded2, coded3} {
		for _, e := range sink.events {
			if strings.Contains(e.Line+e.Error, form) {
				t.Errorf("said %+v", e)
			}
		}
		for _, path := range treetest.Holding(t, dir, form) {
			if !strings.HasSuffix(path, "data/etc/allowed") {
				t.Errorf("the secret is in %s", path)
			}
		}
	}
}

// TestRootSecretIsLent: a script reads a secret from a file in memory that it cannot
// change. Logs and events have neither the secret nor its encoding.
func TestRootSecretIsLent(t *testing.T) {
	needRoot(t)
	for _, action := range []string{"script", "post", "build"} {
		t.Run(action, func(t *testing.T) { lentTo(t, action) })
	}
}

func lentTo(t *testing.T, action string) {
	store := scriptStore(t, t.TempDir())
	g, sink, err := withSecret(t, store, action, "secret", map[string][]byte{"token": []byte(token + "\n"), "other": []byte("not asked for")})
	if err != nil {
		t.Fatal(err)
	}
	log, err := store.Log(g.Key(scriptID))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"mode drwx------ /run/treewright/secrets 15\n", "mode -r-------- /run/treewright/secrets/token 15\n", "said *** and dXNlcjp***"} {
		if !strings.Contains(string(log), want) {
			t.Errorf("the log says not %q:\n%s", want, log)
		}
	}
	unsaid(t, sink, rootOf(store))
	data := store.Data(g.Key(scriptID))
	if kept, err := os.ReadFile(filepath.Join(data, "etc/allowed")); err != nil || string(kept) != token+"\n" {
		t.Errorf("the file that may hold it: %q, error %v", kept, err)
	}
	if _, err := os.Lstat(filepath.Join(data, "run/treewright")); err == nil {
		t.Error("the directory of secrets is in the layer")
	}
	expectNoMounts(t, rootOf(store))
}

// TestRootSecretsDoNotStay: a step that leaves a secret fails, with the file's name
// and without the secret; nothing of it is kept.
func TestRootSecretsDoNotStay(t *testing.T) {
	needRoot(t)
	const leaked = "the secret token is in /etc/leaked, and everyone who gets the system could read it there; if that is meant, write secrets: [/etc/leaked]"
	for how, want := range map[string]string{
		"script leak": leaked, "post leak": leaked, "build leak": leaked, "script link": leaked, "script shout": "exit status 3",
		"script name": "the secret token is in the name of a file in /etc, and",
	} {
		action, do, _ := strings.Cut(how, " ")
		store := scriptStore(t, t.TempDir())
		g, sink, err := withSecret(t, store, action, do, map[string][]byte{"token": []byte(token)})
		var step *StepError
		if !errors.As(err, &step) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error()+step.Command, token) {
			t.Errorf("%s: error %v, want %q", do, err, want)
		}
		if _, ok, err := store.Get(g.Key(scriptID)); ok || err != nil {
			t.Errorf("%s: there is a result: %v, error %v", do, ok, err)
		}
		unsaid(t, sink, rootOf(store))
		if log, err := os.ReadFile(step.Log); do == "shout" && (err != nil || !strings.Contains(string(log), "/***: no such file")) {
			t.Errorf("the log says %q, error %v", log, err)
		}
	}
}

// TestRepliesWithSecrets: what the step's process reports is masked before it is kept
// or shown.
func TestRepliesWithSecrets(t *testing.T) {
	said := fmt.Sprintf(`{"done":true,"error":"open /%[1]s","command":"cat %[1]s","fault":{"detail":"no %[1]s"},"result":{"warnings":["odd %[1]s"]}}`, token)
	reply, err := (&Local{Sink: &recorder{}}).readReplies("a", strings.NewReader(said), secret.Find(map[string][]byte{"token": []byte(token)}))
	if err != nil || reply.Error != "open /***" || reply.Command != "cat ***" || reply.Fault.Detail != "no ***" || !slices.Equal(reply.Result.Warnings, []string{"odd ***"}) {
		t.Errorf("the reply is %+v, error %v", reply, err)
	}
}

// TestRootSecretNotGiven: a step without its secret is not begun.
func TestRootSecretNotGiven(t *testing.T) {
	needRoot(t)
	_, _, err := withSecret(t, scriptStore(t, t.TempDir()), "script", "secret", nil)
	if err == nil || !strings.Contains(err.Error(), "the secret token is not given") {
		t.Errorf("error %v", err)
	}
}
