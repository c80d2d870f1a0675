package config

import (
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
)

// ofHCL finds what is written in HCL only: a field with its value.
var ofHCL = regexp.MustCompile("\\b[a-z_]+ = (?:[\\[{\"`]|true|false)")

// TestShown reads every fixture of faults, and wants of what a person sees: the text of
// the line of each fault, each fault once, and what is to be written in the syntax of
// the file at hand.
func TestShown(t *testing.T) {
	fixtures, err := os.ReadDir("testdata/error-files")
	if err != nil {
		t.Fatal(err)
	}
	for _, fixture := range fixtures {
		files := errorTree(t, fixture.Name(), fixture.IsDir())
		p, diags := Load(files, Options{Choices: map[string]map[string][]string{"image": {"formats": {"raw", "qcow2"}}}})
		if len(diags) == 0 {
			t.Errorf("%s has no fault", fixture.Name())
		}
		for _, d := range diags {
			var b strings.Builder
			if err := WriteDiagnostics(&b, p, hcl.Diagnostics{d}, 0, false); err != nil {
				t.Fatal(err)
			}
			text := b.String()
			if strings.Contains(text, "source code not available") || strings.Count(text, d.Summary+"\n") != 1 {
				t.Errorf("%s: %s", fixture.Name(), text)
			}
			// A file with answers that may be passwords is not shown.
			if file := files[d.Subject.Filename]; file != nil && path.Base(d.Subject.Filename) != debconfFile {
				line := strings.TrimRight(slices.Collect(strings.Lines(string(file.Data) + "\n"))[d.Subject.Start.Line-1], "\r\n")
				if shown, _, _ := strings.Cut(line, "\t"); len(line) < widestLine && !strings.Contains(text, shown) {
					t.Errorf("%s: the line %q is not in\n%s", fixture.Name(), line, text)
				}
			}
			if isYAML(*d.Subject) && ofHCL.MatchString(d.Detail) {
				t.Errorf("%s: HCL for a file in YAML: %s", PlaceOf(*d.Subject), d.Detail)
			}
		}
		if tidy := Tidy(slices.Clone(diags)); len(tidy) != len(diags) {
			t.Errorf("%s: %d faults, %d of them different", fixture.Name(), len(diags), len(tidy))
		}
	}
}
