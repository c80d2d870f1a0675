package ostree

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/treetest"
)

// commitAt is fakeRepo.commit with a time.
func (r fakeRepo) commitAt(epoch int64, ref, parent string) string {
	r.t.Helper()
	const nothing, meta = "\x00", "meta"
	contents, dirmeta := sha256.Sum256([]byte(nothing)), sha256.Sum256([]byte(meta))
	r.write(object(hex.EncodeToString(contents[:]), "dirtree"), nothing)
	r.write(object(hex.EncodeToString(dirmeta[:]), "dirmeta"), meta)
	b := fakeCommit(r.t, parent, "s", "", epoch, [][2]string{{"version", "1"}, {RecipeKey, "r"}}, contents[:], dirmeta[:])
	sum := sha256.Sum256(b)
	r.write(object(hex.EncodeToString(sum[:]), "commit"), string(b))
	r.write("refs/heads/"+ref, hex.EncodeToString(sum[:])+"\n")
	return hex.EncodeToString(sum[:])
}

// TestRewound: wherever a history is found, it is refused when it is older than
// what was found or published before, until somebody says that this is meant.
func TestRewound(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "r")
	one, two := wholeHistory(t, dir)
	newer := pack(t, dir)
	old := filepath.Join(t.TempDir(), "r")
	wholeHistory(t, old)
	makeRepo(t, old).write("refs/heads/"+testRef, one+"\n")
	older := pack(t, old)
	forked := filepath.Join(t.TempDir(), "r")
	fork := makeRepo(t, forked).commit(testRef, makeRepo(t, forked).commit(testRef, "", "one", "r1"), "another two", "r3")
	other := pack(t, forked)

	tarball := newer
	answer := func(w http.ResponseWriter, r *http.Request) {
		if tarball == nil {
			http.NotFound(w, r)
			return
		}
		w.Write(tarball)
	}
	url := remote(t, map[string]http.HandlerFunc{"/x/" + archiveName: answer, "/y/" + archiveName: answer})
	records := t.TempDir()
	find := func(n Names, output string, rewind bool) (History, error) {
		t.Helper()
		return FindHistory(context.Background(), named(n), output, filepath.Join(t.TempDir(), "history"), impatient(), Lookout{Records: records, Rewind: rewind})
	}
	names := Names{ArchiveURL: url + "/x", FirstCommit: true}
	remember := func(h History) {
		t.Helper()
		if err := RememberHeads(named(names), records, h); err != nil {
			t.Fatal(err)
		}
	}
	h, err := find(names, t.TempDir(), false)
	if err != nil || h.Head != two {
		t.Fatalf("%+v, error %v", h, err)
	}
	remember(h)
	before, err := os.Stat(filepath.Join(records, headsName))
	if err != nil {
		t.Fatal(err)
	}
	remember(h)
	if after, err := os.Stat(filepath.Join(records, headsName)); err != nil || !os.SameFile(before, after) {
		t.Errorf("what is known is written again: %v", err)
	}
	refused := func(name, output, want string) {
		t.Helper()
		if h, err := find(names, output, false); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "--allow-rewind") || !strings.Contains(err.Error(), two) {
			t.Errorf("%s: %+v, error %v; want one with %q", name, h, err, want)
		}
	}
	if h, err := find(names, t.TempDir(), false); err != nil || h.Head != two {
		t.Errorf("the same again: %+v, error %v", h, err)
	}
	tarball = older
	refused("an older tarball", t.TempDir(), "was set back: it has commit "+one)
	tarball = other
	refused("a fork", t.TempDir(), "was set back: it has commit "+fork)
	tarball = nil
	refused("none", t.TempDir(), "there is none, but commit "+two)
	local := t.TempDir()
	if err := os.CopyFS(filepath.Join(local, repoName), os.DirFS(old)); err != nil {
		t.Fatal(err)
	}
	refused("an older repository", local, "the repository "+filepath.Join(local, repoName)+" was set back")
	local = t.TempDir()
	if err := os.WriteFile(filepath.Join(local, archiveName), older, 0o644); err != nil {
		t.Fatal(err)
	}
	refused("an older tarball beside", local, "the tarball "+filepath.Join(local, archiveName)+" was set back")

	// A newer one is fine, and is the one that counts from then on.
	three := makeRepo(t, dir).commit(testRef, two, "three", "r4")
	tarball = pack(t, dir)
	if h, err := find(names, t.TempDir(), false); err != nil || h.Head != three {
		t.Errorf("a newer one: %+v, error %v", h, err)
	}
	// Another archive is another history.
	tarball = older
	elsewhere := Names{ArchiveURL: url + "/y"}
	if h, err := find(elsewhere, t.TempDir(), false); err != nil || h.Head != one {
		t.Errorf("another archive: %+v, error %v", h, err)
	}
	// What is meant is taken, and is what counts from then on.
	h, err = find(names, t.TempDir(), true)
	if err != nil || h.Head != one {
		t.Errorf("allowed: %+v, error %v", h, err)
	}
	remember(h)
	if h, err := find(names, t.TempDir(), false); err != nil || h.Head != one {
		t.Errorf("after it was allowed: %+v, error %v", h, err)
	}
	// A password is not part of what an archive is called, nor written down.
	secret := Names{ArchiveURL: strings.Replace(url, "://", "://me:secret@", 1) + "/x"}
	if err := RememberHeads(named(secret), records, History{Head: two}); err != nil {
		t.Fatal(err)
	}
	if text := treetest.Content(t, filepath.Join(records, headsName)); strings.Contains(text, "secret") || strings.Count(text, two) != 1 || strings.Contains(text, one) {
		t.Errorf("written down: %s", text)
	}
	// A note that cannot be read is not an excuse.
	treetest.Write(t, filepath.Join(records, headsName), "")
	if _, err := find(names, t.TempDir(), false); err == nil || !strings.Contains(err.Error(), headsName+" is damaged") {
		t.Errorf("a damaged note: %v", err)
	}
}

// TestOwnHistoryRemoved: without an archive, a history that its owner removed is
// not missed, but one that was set back is.
func TestOwnHistoryRemoved(t *testing.T) {
	output, records := t.TempDir(), t.TempDir()
	dir := filepath.Join(output, repoName)
	one, two := wholeHistory(t, dir)
	names := named(Names{})
	if err := RememberHeads(names, records, History{Head: two}); err != nil {
		t.Fatal(err)
	}
	makeRepo(t, dir).write("refs/heads/"+testRef, one+"\n")
	look := Lookout{Records: records}
	if _, err := FindHistory(context.Background(), names, output, t.TempDir(), impatient(), look); err == nil || !strings.Contains(err.Error(), "was set back") {
		t.Errorf("set back: error %v", err)
	}
	if h, err := FindHistory(context.Background(), names, t.TempDir(), t.TempDir(), impatient(), look); err != nil || h.Head != "" {
		t.Errorf("removed: %+v, error %v", h, err)
	}
}

// TestFromTheFuture: no history is continued that is ahead of the clock by more
// than clocks may be wrong.
func TestFromTheFuture(t *testing.T) {
	now := time.Now()
	for _, tc := range []struct {
		at      time.Time
		refused bool
	}{
		{now.Add(-time.Hour), false}, {now.Add(20 * time.Hour), false}, {now.Add(30 * time.Hour), true},
		{time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC), true},
	} {
		output := t.TempDir()
		head := makeRepo(t, filepath.Join(output, repoName)).commitAt(tc.at.Unix(), testRef, "")
		for _, rewind := range []bool{false, true} {
			_, err := FindHistory(context.Background(), named(Names{}), output, t.TempDir(), impatient(), Lookout{Records: t.TempDir(), Rewind: rewind})
			if (err != nil) != tc.refused {
				t.Errorf("%s: error %v", tc.at, err)
			}
			for _, want := range []string{head, tc.at.UTC().Format("2006-01-02 15:04"), "this machine's clock shows " + now.UTC().Format("2006-01-02")} {
				if err != nil && !strings.Contains(err.Error(), want) {
					t.Errorf("error %v lacks %q", err, want)
				}
			}
		}
	}
}

func TestSumOf(t *testing.T) {
	const name = "a b(1).tar.gz"
	sum, other := strings.Repeat("0123abcd", 8), strings.Repeat("1", 64)
	upper := strings.ToUpper(sum)
	for form, list := range map[string]string{
		"sha256sum":            sum + "  " + name + "\n",
		"sha256sum -b":         sum + " *" + name + "\n",
		"one blank":            sum + " " + name,
		"a tab":                sum + "\t" + name,
		"./":                   other + "  ./x\n" + sum + "  ./" + name + "\n",
		"CRLF":                 other + "  x\r\n" + sum + "  " + name + "\r\n",
		"CR alone":             other + "  x\r" + sum + "  " + name + "\r",
		"sha256sum --tag":      "SHA256 (" + name + ") = " + sum + "\n",
		"--tag, ./ and CRLF":   "SHA256 (./" + name + ") = " + upper + "\r\n",
		"openssl 1":            "SHA256(" + name + ")= " + sum,
		"openssl 3":            "SHA2-256(" + name + ")= " + sum,
		"upper case":           upper + "  " + name,
		"byte order mark":      "\ufeff" + sum + "  " + name,
		"escaped":              `\` + sum + "  " + name,
		"comments":             "# of today\n\n" + sum + "  " + name + "\n; end\n",
		"a blank at the end":   sum + "  " + name + " \n",
		"twice the same":       sum + "  " + name + "\nSHA256 (" + name + ") = " + upper,
		"with other checksums": strings.Repeat("a", 128) + "  " + name + "\nMD5 (" + name + ") = " + other + "\n" + sum + "  " + name,
		"clear-signed":         "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n" + sum + "  " + name + "\n-----BEGIN PGP SIGNATURE-----\nabc\n-----END PGP SIGNATURE-----\n",
	} {
		if got, err := sumOf([]byte(list), name); err != nil || got != sum {
			t.Errorf("%s: %q, error %v", form, got, err)
		}
	}
	if got, err := sumOf([]byte(`\`+sum+`  odd\\\nname`), "odd\\\nname"); err != nil || got != sum {
		t.Errorf("an escaped name: %q, error %v", got, err)
	}
	for list, want := range map[string]string{
		"":                                    "it has no SHA-256 of " + name + ", but no line with a checksum",
		"<html>404":                           "it is not a list of checksums",
		sum[1:] + "  " + name:                 "it is not a list of checksums",
		"SHA512 (" + name + ") = " + sum:      "it is not a list of checksums",
		sum + "  x\n" + sum + "  dir/" + name: `but of ["x" "dir/` + name + `"]`,
		sum + "  " + name + "\n" + other + "  ./" + name: "it has two checksums of " + name,
		strings.Repeat(sum+"  x\n", 9):                   "and 4 more",
	} {
		if got, err := sumOf([]byte(list), name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %q, error %v; want one with %q", list, got, err, want)
		}
	}
}

func FuzzSumOf(f *testing.F) {
	sum := strings.Repeat("0123abcd", 8)
	for _, s := range []string{sum + "  x\n", "SHA256 (x) = " + sum, `\` + sum + " *./x\r\n", "\ufeff" + sum + "\tx"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, list []byte) {
		if got, err := sumOf(list, "x"); err == nil && (len(got) != 64 || !bytes.Contains(bytes.ToLower(list), []byte(got))) {
			t.Errorf("%q gives %q", list, got)
		}
	})
}

// TestUnpackIsBounded: neither content, nor holes, nor padding, nor names, nor
// numbers, nor what follows the end make a tarball larger than it may be.
func TestUnpackIsBounded(t *testing.T) {
	const most = 1 << 20
	zeros := make([]byte, 256<<10)
	file := func(name string, size int64) tar.Header {
		return tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o644}
	}
	many := []tar.Header{}
	for i := range 30 {
		many = append(many, file(fmt.Sprint("f", i), 0))
	}
	for name, tc := range map[string]struct {
		heads []tar.Header
		after int64 // zeros after the end
		want  string
	}{
		"what fits":   {[]tar.Header{file("a", most/4), file("b", most/4)}, 0, ""},
		"one file":    {[]tar.Header{file("a", most+1)}, 0, "it unpacks to more than 1048576 bytes: it is a test"},
		"together":    {[]tar.Header{file("a", most/2), file("b", most/2)}, 0, "it unpacks to more than"},
		"many":        {many, 0, "more than 20 files and directories"},
		"after":       {[]tar.Header{file("a", 1)}, 2 * most, "it unpacks to more than"},
		"a long way":  {[]tar.Header{file(strings.Repeat("a/", 60)+"a", 1)}, 0, "too long, or has too many levels"},
		"a long name": {[]tar.Header{file(strings.Repeat(strings.Repeat("a", 200)+"/", 6)+"a", 1)}, 0, "too long, or has too many levels"},
	} {
		t.Run(name, func(t *testing.T) {
			var buf bytes.Buffer
			gz := gzip.NewWriter(&buf)
			tw := tar.NewWriter(gz)
			for _, h := range tc.heads {
				if err := tw.WriteHeader(&h); err != nil {
					t.Fatal(err)
				}
				for left := h.Size; left > 0; {
					n, err := tw.Write(zeros[:min(left, int64(len(zeros)))])
					if err != nil {
						t.Fatal(err)
					}
					left -= int64(n)
				}
			}
			tw.Close()
			for left := tc.after; left > 0; left -= int64(len(zeros)) {
				gz.Write(zeros)
			}
			gz.Close()
			tarball := filepath.Join(t.TempDir(), "x.tar.gz")
			if err := os.WriteFile(tarball, buf.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			err := unpack(tarball, t.TempDir(), bounds{bytes: most, why: "it is a test", entries: 20})
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
		})
	}
	// A hole of a gigabyte, as GNU tar writes it: nearly nothing in the tarball.
	dir := t.TempDir()
	hole := filepath.Join(dir, "hole")
	treetest.Write(t, hole, "")
	if err := os.Truncate(hole, 1<<30); err != nil {
		t.Fatal(err)
	}
	tarball := filepath.Join(dir, "x.tar.gz")
	if out, err := exec.Command("tar", "-C", dir, "--sparse", "--format=posix", "-czf", tarball, "hole").CombinedOutput(); err != nil {
		t.Fatalf("tar: %v: %s", err, out)
	}
	if err := unpack(tarball, t.TempDir(), bounds{bytes: most, why: "it is a test", entries: 20}); err == nil || !strings.Contains(err.Error(), "it unpacks to more than") {
		t.Errorf("a hole: error %v", err)
	}
	within, err := boundsOf(tarball, dir)
	if err != nil || within.bytes < 64<<20 || within.bytes > 65<<20 || !strings.Contains(within.why, "much more than a repository of ") {
		t.Errorf("a tarball of next to nothing may have %+v, error %v", within, err)
	}
}
