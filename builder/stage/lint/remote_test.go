package lint

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/treetest"
)

func TestLintCertificates(t *testing.T) {
	for url, want := range map[string]bool{
		"": false, "http://a.example/": false, "file:///srv": false, "https://a.example/": true,
	} {
		if got := ChecksCertificates(url); got != want {
			t.Errorf("%q: %v", url, got)
		}
	}
	tree := goodTree(t)
	file := filepath.Join(tree, "usr", certificates)
	treetest.Write(t, file, "-----BEGIN CERTIFICATE-----\n")
	if err := Certificates(tree); err != nil {
		t.Errorf("a tree with certificates: %v", err)
	}
	treetest.Write(t, file, "")
	empty := Certificates(tree)
	os.Remove(file)
	for _, err := range []error{empty, Certificates(tree)} {
		if err == nil || !strings.Contains(err.Error(), "include the package ca-certificates") {
			t.Errorf("without certificates: %v", err)
		}
	}
}
