package verify

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/publish"
)

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestCompareTrees(t *testing.T) {
	a, b := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	for _, dir := range []string{a, b} {
		write(t, filepath.Join(dir, "same"), "same")
		write(t, filepath.Join(dir, "mode"), "mode")
		write(t, filepath.Join(dir, ".lock"), dir)
	}
	write(t, filepath.Join(a, "content"), "0123456789")
	write(t, filepath.Join(b, "content"), "0123x56y89z")
	write(t, filepath.Join(a, "gone"), "")
	write(t, filepath.Join(b, "new"), "")
	if err := os.Chmod(filepath.Join(b, "mode"), 0o755); err != nil {
		t.Fatal(err)
	}
	found, err := compareTrees(a, b)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range found {
		got = append(got, f.Path+" "+f.How)
	}
	want := "content differs in 2 bytes from offset 4 on: 343536373839, then 7835367938397a; it has 10 bytes, then 11\n" +
		"gone is missing in the second build\nmode has the mode -rw-r--r--, then -rwxr-xr-x\nnew is in the second build only"
	if text := strings.Join(got, "\n"); text != want {
		t.Errorf("got\n%s", text)
	}
}

func TestPublishedIsBounded(t *testing.T) {
	for content, fault := range map[string]string{
		"not a sum\n":                         "not a checksum",
		strings.Repeat("0", 64) + " *../up\n": "not a checksum",
		strings.Repeat("0", 64) + " *a\n" + strings.Repeat("1", 64) + " *a\n": "two checksums",
		strings.Repeat("x", 1<<17): "token too long",
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, publish.SumsName), content)
		if _, err := ReadPublished(context.Background(), dir); err == nil || !strings.Contains(err.Error(), fault) {
			t.Errorf("%.40q: error %v, expected %q", content, err, fault)
		}
	}
}

func TestAgainst(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, publish.SumsName), strings.Repeat("0", 64)+" *a\n"+strings.Repeat("1", 64)+" *b\n")
	write(t, filepath.Join(dir, "build.json"), `{"features": ["base", "old"], "packages": [{"name": "bash", "version": "1", "arch": "amd64"}]}`)
	p, err := ReadPublished(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	a, err := p.against(context.Background(), &publish.Manifest{
		Features:  []string{"base"},
		Artifacts: []publish.ManifestArtifact{{Name: "a", SHA256: strings.Repeat("0", 64)}, {Name: "b", SHA256: strings.Repeat("2", 64)}, {Name: "c", SHA256: strings.Repeat("3", 64)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var states []string
	for _, c := range a.Artifacts {
		states = append(states, c.Name+" "+c.State)
	}
	if got := strings.Join(states, ", "); got != "a same, b differs, c not published" || a.Same {
		t.Errorf("%s, same: %v", got, a.Same)
	}
	if text := strings.Join(a.Reasons, "\n"); !strings.Contains(text, "the feature old, this one does not") || !strings.Contains(text, "bash") {
		t.Errorf("reasons:\n%s", text)
	}
}
