package ostree

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/sign"
)

// TestBelieveSigned: with keys, the history of an archive counts only if its sums and its
// commits are signed by one of them.
func TestBelieveSigned(t *testing.T) {
	made := makeReal(t)
	signer, _ := newSigner(t, "One")
	other, _ := newSigner(t, "Other")
	dest := filepath.Join(t.TempDir(), "published")
	publishSigned(t, made, dest, signer)
	half := filepath.Join(t.TempDir(), "half")
	publishSigned(t, made, half, signer)
	// The newest commit of an archive has no signature yet, but all others do.
	for _, lost := range []string{filepath.Join(dest, object(made.head, detached)), filepath.Join(half, object(made.head, detached)), filepath.Join(half, object(made.first, detached))} {
		if err := os.Remove(lost); err != nil {
			t.Fatal(err)
		}
	}
	sums := func(tarball []byte) []byte {
		return fmt.Appendf(nil, "%x *%s\n", sha256.Sum256(tarball), archiveName)
	}
	signed := func(list []byte, by *sign.Signer) []byte {
		signature, err := by.Sign(t.Context(), "SHA256SUMS", list)
		if err != nil {
			t.Fatal(err)
		}
		return signature
	}
	good, gap := pack(t, dest), pack(t, half)
	for name, tc := range map[string]struct {
		tarball, list, sig []byte
		unsigned           bool
		want               string
	}{
		"signed":                     {good, sums(good), signed(sums(good), signer), false, ""},
		"no signature":               {good, sums(good), nil, false, "is not signed"},
		"no signature, allowed":      {good, sums(good), nil, true, ""},
		"no sums":                    {good, nil, nil, false, "so the tarball is not signed"},
		"another key's":              {good, sums(good), signed(sums(good), other), false, "which is not among the public keys"},
		"of other sums":              {good, sums(good), signed(sums(gap), signer), false, "not a signature of this content"},
		"a page":                     {good, sums(good), []byte("<html>"), false, "not an OpenPGP signature"},
		"an unsigned commit":         {gap, sums(gap), signed(sums(gap), signer), false, "commit " + made.first},
		"another tarball":            {gap, sums(good), signed(sums(good), signer), false, "wrong checksum"},
		"an unsigned commit allowed": {gap, sums(gap), signed(sums(gap), signer), true, ""},
	} {
		answers := map[string]http.HandlerFunc{"/x/" + archiveName: serve(tc.tarball)}
		if tc.list != nil {
			answers["/x/SHA256SUMS"] = serve(tc.list)
		}
		if tc.sig != nil {
			answers["/x/SHA256SUMS.sig"] = serve(tc.sig)
		}
		names := Names{ArchiveURL: remote(t, answers) + "/x", Ref: testRef, Keys: signer.Keys, Unsigned: tc.unsigned}
		h, err := find(t, historyCase{names: names})
		switch {
		case tc.want == "" && (err != nil || h.Head != made.head):
			t.Errorf("%s: %+v, %v", name, h, err)
		case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
			t.Errorf("%s: %v", name, err)
		}
	}
}
