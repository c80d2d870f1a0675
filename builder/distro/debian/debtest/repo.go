package debtest

import (
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/sandbox"
)

// Repo is a package archive in a directory.
type Repo struct {
	// Dir is what a mirror serves.
	Dir string
	// Key signs the suites that do not have a key of their own.
	Key    *Key
	Suites []*Suite

	built map[string]deb
}

// Suite is one suite of an archive.
type Suite struct {
	// Name is that below dists/, or the path of a flat archive: "./" or one that ends
	// in "/".
	Name string
	// Packages are those of the component main, or of a flat archive; Components
	// those of further components.
	Packages   []Package
	Components map[string][]Package
	// Architectures are those of the suite; amd64 if there are none.
	Architectures []string
	// Fields are further fields of the release file: "Codename", "NotAutomatic",
	// "Origin". They win over those that Publish writes itself.
	Fields map[string]string
	// Date is now if it is zero. ValidUntil is left out if it is zero.
	Date, ValidUntil time.Time
	// Compression is the ending of the indices: "", ".gz" or ".xz"; ".gz" if it is
	// not set.
	Compression *string

	// Key signs instead of the archive's. Unsigned leaves out all signatures, and
	// Detached has one in Release.gpg and no InRelease.
	Key                *Key
	Unsigned, Detached bool
}

// deb is a package's file and its paragraph of an index.
type deb struct {
	content   []byte
	paragraph string
}

// New makes an archive with a key of its own and publishes it. It is removed with
// the test.
func New(t testing.TB, suites ...*Suite) *Repo {
	t.Helper()
	r := &Repo{Dir: t.TempDir(), Key: NewKey(t, "archive"), Suites: suites}
	r.Publish(t)
	return r
}

// Suite returns the suite of that name.
func (r *Repo) Suite(name string) *Suite {
	for _, s := range r.Suites {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// FileURL is the directory as a mirror.
func (r *Repo) FileURL() string { return "file://" + r.Dir }

// File is the path of a package's file in a suite's component ("main", or "" in a
// flat one), as it was last published.
func (r *Repo) File(suite, component string, p Package) string {
	return filepath.Join(r.Dir, poolPath(suite, component, p))
}

func poolPath(suite, component string, p Package) string {
	if flat(suite) {
		return path.Join(suite, p.FileName())
	}
	return path.Join("pool", component, p.Name, p.FileName())
}

func flat(suite string) bool { return strings.HasSuffix(suite, "/") }

// Publish writes all of the archive again; what is not in it any more is removed.
func (r *Repo) Publish(t testing.TB) {
	t.Helper()
	if r.built == nil {
		r.built = map[string]deb{}
	}
	old, err := os.ReadDir(r.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range old {
		if err := os.RemoveAll(filepath.Join(r.Dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range r.Suites {
		r.publish(t, s)
	}
}

func (r *Repo) publish(t testing.TB, s *Suite) {
	t.Helper()
	base := path.Join(r.Dir, "dists", s.Name)
	if flat(s.Name) {
		base = path.Join(r.Dir, s.Name)
	}
	components := maps.Clone(s.Components)
	if components == nil {
		components = map[string][]Package{}
	}
	components["main"] = append(slices.Clone(components["main"]), s.Packages...)
	files := map[string][]byte{} // indices, by their path below base
	for component, packages := range components {
		for _, arch := range s.architectures() {
			text := r.index(t, s.Name, component, packages, arch)
			name := path.Join(component, "binary-"+arch, "Packages")
			if flat(s.Name) {
				name = "Packages"
			}
			ending := ".gz"
			if s.Compression != nil {
				ending = *s.Compression
			}
			// apt asks for the name and hash of what is not compressed as well.
			files[name] = text
			files[name+ending] = compressed(t, ending, text)
			write(t, filepath.Join(base, name+ending), string(files[name+ending]))
		}
	}
	release := s.release(slices.Sorted(maps.Keys(components)), files)
	write(t, filepath.Join(base, "Release"), release)
	key := r.Key
	if s.Key != nil {
		key = s.Key
	}
	switch {
	case s.Unsigned:
	case s.Detached:
		write(t, filepath.Join(base, "Release.gpg"), key.sign(t, release, true))
	default:
		write(t, filepath.Join(base, "InRelease"), key.sign(t, release, false))
	}
}

func (s *Suite) architectures() []string {
	if len(s.Architectures) == 0 || flat(s.Name) {
		return []string{"amd64"}
	}
	return s.Architectures
}

// index writes a component's packages into the archive, and returns the index of
// those for an architecture; a flat archive has those of all in one.
func (r *Repo) index(t testing.TB, suite, component string, packages []Package, arch string) []byte {
	t.Helper()
	var text bytes.Buffer
	for _, p := range packages {
		if p.arch() != "all" && p.arch() != arch && !flat(suite) {
			continue
		}
		built := r.build(t, p)
		file := poolPath(suite, component, p)
		write(t, filepath.Join(r.Dir, file), string(built.content))
		fmt.Fprintf(&text, "%sFilename: %s\nSize: %d\nSHA256: %x\n\n", built.paragraph, file, len(built.content), sha256.Sum256(built.content))
	}
	return text.Bytes()
}

// build makes each package once.
func (r *Repo) build(t testing.TB, p Package) deb {
	t.Helper()
	id := fmt.Sprint(p)
	if have, ok := r.built[id]; ok {
		return have
	}
	dir, err := os.MkdirTemp("", "debtest-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	content, err := os.ReadFile(p.Build(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	r.built[id] = deb{content, p.paragraph()}
	return r.built[id]
}

// release is the release file, without a signature.
func (s *Suite) release(components []string, files map[string][]byte) string {
	date := s.Date
	if date.IsZero() {
		date = time.Now()
	}
	const form = "Mon, 02 Jan 2006 15:04:05 UTC"
	fields := map[string]string{"Origin": "Tests", "Date": date.UTC().Format(form), "Architectures": strings.Join(s.architectures(), " ")}
	if !flat(s.Name) {
		fields["Suite"], fields["Codename"], fields["Components"] = s.Name, s.Name, strings.Join(components, " ")
	}
	if !s.ValidUntil.IsZero() {
		fields["Valid-Until"] = s.ValidUntil.UTC().Format(form)
	}
	maps.Copy(fields, s.Fields)
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		fmt.Fprintf(&b, "%s: %s\n", name, fields[name])
	}
	var md5s, sha256s strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&md5s, " %x %d %s\n", md5.Sum(files[name]), len(files[name]), name)
		fmt.Fprintf(&sha256s, " %x %d %s\n", sha256.Sum256(files[name]), len(files[name]), name)
	}
	return b.String() + "MD5Sum:\n" + md5s.String() + "SHA256:\n" + sha256s.String()
}

func compressed(t testing.TB, ending string, text []byte) []byte {
	t.Helper()
	switch ending {
	case "":
		return text
	case ".gz":
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		if _, err := w.Write(text); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	case ".xz":
		need(t, "xz")
		return run(t, sandbox.Command{Argv: []string{"xz", "-c"}, Env: sandbox.HostEnv(), Stdin: bytes.NewReader(text)})
	}
	t.Fatalf("no compression ends in %q", ending)
	return nil
}
