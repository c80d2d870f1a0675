package config

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

// arFile writes an ar archive of members, "NAME" and content by turns.
func arFile(members ...string) []byte {
	var b bytes.Buffer
	b.WriteString("!<arch>\n")
	for i := 0; i < len(members); i += 2 {
		fmt.Fprintf(&b, "%-16s%-12d%-6d%-6d%-8s%-10d`\n%s", members[i], 0, 0, 0, "100644", len(members[i+1]), members[i+1])
		if len(members[i+1])%2 == 1 {
			b.WriteByte('\n')
		}
	}
	return b.Bytes()
}

func controlTar(text string) string {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range [][2]string{{"./md5sums", "x"}, {"./control", text}} {
		if err := w.WriteHeader(&tar.Header{Name: f[0], Typeflag: tar.TypeReg, Size: int64(len(f[1])), Mode: 0o644}); err != nil {
			panic(err)
		}
		_, _ = io.WriteString(w, f[1])
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

func zipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

const someControl = "Package: tool\nVersion: 1:2.0-1\nArchitecture: amd64\nDescription: x\n"

func TestDebs(t *testing.T) {
	tool := "tool 1:2.0-1 amd64"
	good := arFile("debian-binary", "2.0\n", "control.tar.gz", zipped(controlTar(someControl)), "data.tar.xz", "data")
	for name, test := range map[string]struct {
		content []byte
		want    string // "PACKAGE VERSION ARCH", or of a fault the text
	}{
		"gzip":         {good, tool},
		"plain":        {arFile("debian-binary/", "2.0\n", "control.tar", controlTar(someControl), "data.tar", "data"), tool},
		"xz":           {arFile("debian-binary", "2.0\n", "control.tar.xz", "who knows", "data.tar.xz", "data"), "  "},
		"other member": {arFile("debian-binary", "2.0\n", "_gpgorigin", "odd", "control.tar", controlTar(someControl), "data.tar", "data"), tool},
		"empty":        {nil, "it is empty"},
		"text":         {[]byte("this is a text"), "it is not an ar archive"},
		"pointer":      {[]byte("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"), "git lfs pull"},
		"library":      {arFile("a.o/", "xx"), `it has "a.o" where debian-binary should be`},
		"format 3":     {arFile("debian-binary", "3.0\n", "control.tar", controlTar(someControl), "data.tar", "data"), `its format is "3.0", not 2.0`},
		"cut":          {good[:len(good)-3], "it ends within data.tar.xz: 3 bytes are missing"},
		"no data":      {arFile("debian-binary", "2.0\n", "control.tar", controlTar(someControl)), "it ends where data.tar should begin"},
		"no control":   {arFile("debian-binary", "2.0\n", "control.tar", "", "data.tar", ""), "its control data cannot be read: it has no file control"},
		"bad gzip":     {arFile("debian-binary", "2.0\n", "control.tar.gz", "odd", "data.tar", ""), "its control data cannot be read"},
		"no version":   {arFile("debian-binary", "2.0\n", "control.tar", controlTar("Package: x\nArchitecture: all\n"), "data.tar", ""), "lacks Package, Version or Architecture"},
		"huge":         {arFile("debian-binary", strings.Repeat(" ", mostControl+2)), "it has a member of"},
	} {
		t.Run(name, func(t *testing.T) {
			files := fstest.MapFS{"features/a/info.yaml": {Data: []byte("type: element")}, "features/a/file.debs/x.deb": {Data: test.content}}
			p, diags := Load(files, Options{})
			var got string
			if debs := p.Features["a"].Debs; len(debs) == 1 && len(diags) == 0 {
				got = debs[0].Package + " " + debs[0].Version + " " + debs[0].Arch
				if got != test.want {
					t.Errorf("got %q, want %q", got, test.want)
				}
				return
			}
			if len(diags) != 1 || diags[0].Subject.Filename != "features/a/file.debs/x.deb" || !strings.Contains(diags[0].Detail, test.want) {
				t.Errorf("got %v, want %q", diags, test.want)
			}
		})
	}
}

func TestDebsDirectory(t *testing.T) {
	files := fstest.MapFS{
		"features/a/info.yaml":             {Data: []byte("type: element")},
		"features/a/file.debs/.gitignore":  {},
		"features/a/file.debs/README":      {},
		"features/a/file.debs/sub/x.deb":   {},
		"features/b/info.yaml":             {Data: []byte("type: element")},
		"features/b/file.debs":             {},
		"features/c/info.yaml":             {Data: []byte("type: element")},
		"features/c/file.debs/a_1_all.deb": {Data: arFile("debian-binary", "2.0\n", "control.tar.xz", "", "data.tar", "")},
	}
	_, diags := Load(files, Options{})
	var got []string
	for _, d := range diags {
		got = append(got, d.Subject.Filename+": "+d.Summary)
	}
	want := "features/a/file.debs/README: Not a package\nfeatures/a/file.debs/sub: Directory among packages\nfeatures/b/file.debs: Not a directory"
	if strings.Join(got, "\n") != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}

// TestDebsBehindLinks: a link is followed within the tree only, and that is printed
// before anything is resolved.
func TestDebsBehindLinks(t *testing.T) {
	_, diags := Load(fstest.MapFS{
		"features/a/info.yaml":        {Data: []byte("type: element")},
		"features/a/file.debs/a.deb":  {Data: []byte("/srv/a.deb"), Mode: fs.ModeSymlink},
		"features/a/file.debs/b.deb":  {Data: []byte("none.deb"), Mode: fs.ModeSymlink},
		"features/a/file.debs/.c.deb": {Data: []byte("none.deb"), Mode: fs.ModeSymlink},
	}, Options{})
	var got []string
	for _, d := range diags {
		got = append(got, d.Subject.Filename+": "+d.Summary+": "+d.Detail)
	}
	if len(got) != 2 || !strings.HasPrefix(got[0], `features/a/file.debs/a.deb: Link that cannot be followed: It points to "/srv/a.deb", which is not in this tree.`) ||
		!strings.HasPrefix(got[1], `features/a/file.debs/b.deb: Link that cannot be followed: It points to "none.deb", which does not exist.`) {
		t.Errorf("got %q", got)
	}
}
