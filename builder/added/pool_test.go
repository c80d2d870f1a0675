package added

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/extend"
	"github.com/treewright/treewright/builder/sign"
)

// publishPool gives the server the pool of a commit, with packages of these names.
func (s *testServer) publishPool(commit string, names ...string) {
	var packages []distro.Archived
	family := build.Families[0]
	for _, name := range names {
		content := "the package " + name
		sum := fmt.Sprintf("%x", sha256.Sum256([]byte(content)))
		p := distro.Archived{Package: distro.Package{Name: name, Version: "1", Arch: "amd64"}, Filename: "pool/" + name + ".deb", Size: int64(len(content)), SHA256: sum,
			Stanza: fmt.Sprintf("Package: %s\nVersion: 1\nArchitecture: amd64\nFilename: pool/%s.deb\nSize: %d\nSHA256: %s\n", name, name, len(content), sum)}
		packages = append(packages, p)
		s.files["pool/"+family.PooledFile(p)] = []byte(content)
	}
	index, err := family.PoolIndex(commit, packages, time.Unix(1700000000, 0), func(string) []byte { return nil })
	if err != nil {
		s.t.Fatal(err)
	}
	of := family.PoolNames()
	if s.signer != nil {
		signature, err := s.signer.Sign(context.Background(), "pool", index.Files[of.Signed])
		if err != nil {
			s.t.Fatal(err)
		}
		index.Files[of.Detached] = sign.Armoured(sign.SignatureText, signature)
	}
	for name, text := range index.Files {
		s.files["pool/"+commit+"/"+name] = text
	}
}

// makesFromPool lets a machine make images if all their packages are in the pool, which it brings.
func (m *testMachine) makesFromPool(s *testServer) {
	makes := m.Extend
	if makes == nil {
		m.makes(s)
		makes = m.Extend
	}
	m.Extend = func(ctx context.Context, q build.HereRequest) (*build.Extended, error) {
		if q.Pool == nil {
			return nil, errors.New("there is no pool")
		}
		all, err := build.ReadPool(q.Commit, func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(q.Pool.Dir, q.Commit, name)) })
		if err != nil {
			return nil, err
		}
		needed := slices.DeleteFunc(slices.Clone(all), func(p build.PoolFile) bool { return !slices.Contains(q.Packages, p.Name) })
		if len(needed) != len(q.Packages) {
			return nil, errors.New("the pool lacks a package")
		}
		if err := q.Pool.Bring(ctx, needed); err != nil {
			return nil, err
		}
		if lacking := lackingIn(q.Pool.Dir, all); len(lacking) != len(all)-len(needed) {
			m.t.Errorf("the pool lacks %d of %d packages after %d were brought", len(lacking), len(all), len(needed))
		}
		return makes(ctx, q)
	}
}

// TestLocalFromThePool: an image that a machine makes has packages that the server published with the commit, if their signature is valid.
func TestLocalFromThePool(t *testing.T) {
	signer := newSigner(t)
	other := newSigner(t)
	for name, c := range map[string]struct {
		change func(s *testServer)
		// want is the error, "" if the image is made, and said a line that is printed.
		want, said string
	}{
		"a pool":  {func(s *testServer) {}, "", "1 package, 0.0 MB, from the pool at SERVER/os/pool"},
		"no pool": {func(s *testServer) { clear(s.files) }, "this machine with packages of the sources in /etc/apt: there is no pool", ""},
		"a server without an answer": {func(s *testServer) { s.Close() }, "this machine with packages of the sources in /etc/apt: there is no pool",
			"the pool of commit aaaaaaaaaaaa at SERVER/os/pool cannot be read, so all packages come from the sources in /etc/apt: "},
		"no signature": {func(s *testServer) { delete(s.files, "pool/"+commitA+"/Release.gpg") }, "the pool of commit aaaaaaaaaaaa is not signed, and the remote main asks for signatures", ""},
		"the signature of somebody else": {func(s *testServer) {
			s.signer = other
			s.publishPool(commitA, "jq", "web")
		}, "the signature of the pool of commit aaaaaaaaaaaa does not count: ", ""},
		"the pool of another commit": {func(s *testServer) {
			s.publishPool(commitB, "jq")
			for _, name := range []string{"Release", "Release.gpg", "Packages"} {
				s.files["pool/"+commitA+"/"+name] = s.files["pool/"+commitB+"/"+name]
			}
		}, "there is no pool", "Release is the release file of the pool of \"" + commitB + "\""},
		"another list":           {func(s *testServer) { s.files["pool/"+commitA+"/Packages"] = []byte("\n") }, "there is no pool", "Packages is not the file that Release has the SHA-256 of"},
		"another package":        {func(s *testServer) { s.files["pool/files/"+sumOf("jq")] = []byte("the package j2") }, "the package jq has the SHA-256 ", ""},
		"a package that is cut":  {func(s *testServer) { s.files["pool/files/"+sumOf("jq")] = []byte("the") }, "the package jq is shorter than the 14 bytes of its list", ""},
		"a package that is gone": {func(s *testServer) { delete(s.files, "pool/files/"+sumOf("jq")) }, "get jq from the pool at SERVER/os/pool: ", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, signer)
			s.publishPool(commitA, "jq", "web")
			m := newMachine(t, s, signer.Keys)
			m.makesFromPool(newServer(t, nil))
			m.Local = true
			c.change(s)
			_, err := m.Add(t.Context(), []string{"jq"}, "")
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), strings.ReplaceAll(c.want, "SERVER", s.URL))) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if said := strings.Join(m.said, "\n"); !strings.Contains(said, strings.ReplaceAll(c.said, "SERVER", s.URL)) {
				t.Errorf("said\n%s\nwant %q", said, c.said)
			}
			m.wantNoScratch()
			i, none := m.image(commitA)
			if c.want == "" && (none != nil || i.origin != Origin{madeHere, "with packages of the pool at " + s.URL + "/os/pool"}) || c.want != "" && !errors.Is(none, errNoImage) {
				t.Errorf("the image is %+v, %v", i, none)
			}
		})
	}
}

// sumOf is the name of the file of a package of a pool.
func sumOf(name string) string {
	return fmt.Sprintf("%x.deb", sha256.Sum256([]byte("the package "+name)))
}

// TestBundleWithPool: from a bundle with the pool of the commit, a machine without a network makes images of packages for which the bundle has no image.
func TestBundleWithPool(t *testing.T) {
	signer := newSigner(t)
	s := newServer(t, signer)
	m := newMachine(t, s, signer.Keys)
	dir := filepath.Join(t.TempDir(), "stick")
	q := extend.Request{Commit: commitA, Packages: []string{"jq"}}
	pack := func(pool bool) (*Packed, error) { return m.Pack(t.Context(), q, s.URL+"/os", dir, pool) }
	packed, err := pack(true)
	if err != nil || packed.Pool != nil {
		t.Fatalf("without a pool: %+v, %v", packed, err)
	}
	s.publishPool(commitA, "jq", "web")
	if packed, err = pack(false); err != nil || packed.Pool != nil {
		t.Errorf("%+v, %v", packed, err)
	}
	m.Free = func(string) (int64, error) { return int64(len("the package jq")), nil }
	if _, err = m.packPool(t.Context(), commitA, s.URL+"/os", filepath.Join(dir, extend.PoolDir)); err == nil || !strings.HasPrefix(err.Error(), "the packages of the pool need 0.0 MB in ") {
		t.Error(err)
	}
	m.Free = func(string) (int64, error) { return 1 << 40, nil }
	s.fault = func(w http.ResponseWriter, r *http.Request) bool { // of a package that the bundle has already
		if strings.HasSuffix(r.URL.Path, sumOf("web")) {
			s.fault = nil
			w.Write([]byte("the package wew"))
			return true
		}
		return false
	}
	for range 2 {
		if packed, err = pack(true); err != nil || len(packed.Pool) != 2 {
			t.Fatalf("%+v, %v", packed, err)
		}
	}
	var pool []string
	for _, name := range namesIn(t, dir) {
		if strings.HasPrefix(name, "pool/") {
			pool = append(pool, strings.ReplaceAll(name, commitA, "A"))
		}
	}
	want := []string{"pool/A", "pool/A/Packages", "pool/A/Release", "pool/A/Release.gpg", "pool/files", "pool/files/" + sumOf("jq"), "pool/files/" + sumOf("web")}
	slices.Sort(want[5:])
	if !slices.Equal(pool, want) {
		t.Errorf("the bundle has\n%s", strings.Join(pool, "\n"))
	}
	s.Close()
	if _, err := m.Add(t.Context(), []string{"web"}, dir); err == nil || !strings.Contains(err.Error(), "it does not have the image; it has packages for this commit: with --local this machine makes the image of them") {
		t.Error(err)
	}
	m.makesFromPool(newServer(t, nil))
	m.Local = true
	if _, err := m.Add(t.Context(), []string{"web"}, dir); err != nil {
		t.Fatal(err)
	}
	if i, err := m.image(commitA); err != nil || i.origin.Where != "with packages of the pool at "+dir+"/pool" {
		t.Errorf("%+v, %v", i, err)
	}
	m.deploy(Deployment{Commit: commitB, Version: "2", Booted: true})
	if _, err := m.Add(t.Context(), []string{"jq"}, dir); err == nil || !strings.Contains(err.Error(), "the bundle "+dir+" has no packages for commit bbbbbbbbbbbb") {
		t.Error(err)
	}
	m.wantNoScratch()
}
