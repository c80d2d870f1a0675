package config

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
	"testing"
	"testing/fstest"
)

// lintTree lints a tree given as file -> text. Programs carry the run bit.
func lintTree(t *testing.T, files map[string]string) []string {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		mode := fs.FileMode(0o644)
		if strings.HasPrefix(text, "#!") {
			mode = 0o755
		}
		fsys["features/"+name] = &fstest.MapFile{Data: []byte(text), Mode: mode}
	}
	for name := range files {
		info := "features/" + strings.Split(name, "/")[0] + "/info.yaml"
		if fsys[info] == nil {
			fsys[info] = &fstest.MapFile{Data: []byte("type: element\n"), Mode: 0o644}
		}
	}
	p, diags := LoadForeign(fsys)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var got []string
	for _, d := range Lint(fsys, p) {
		if d.Subject.Filename == "" || p.Files[d.Subject.Filename] == nil {
			t.Errorf("no source to show for %s", d)
		}
		got = append(got, fmt.Sprintf("%s:%d %s", strings.TrimPrefix(d.Subject.Filename, "features/"), d.Subject.Start.Line, d.Summary))
	}
	return got
}

// TestLintScripts has a script's lines, each with the summary that it must
// give behind "#=", or none.
func TestLintScripts(t *testing.T) {
	tests := map[string]struct{ file, script string }{
		"network": {"exec.config", `
curl -sO http://example.org/x #= wants a network
`},
		"network in words": {"exec.config", `
# curl http://example.org
echo "curl is installed"
command -v curl > /dev/null
if [ -x /usr/bin/curl ]; then echo curl; fi
cat > /etc/motd <<EOF
curl http://example.org
apt-get install foo
