package config

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hashicorp/hcl/v2"
)

// TestBounds wants what is beyond a bound to be named where it is, and what is
// just below to pass.
func TestBounds(t *testing.T) {
	numbers := func(n int) string { return strings.TrimSuffix(strings.Repeat("1, ", n), ", ") }
	for name, c := range map[string]struct{ src, want string }{
		"a power":               {"locals {\n a = 1e301\n}", "flavours/a.hcl:2: Number too large"},
		"a usual number":        {"locals {\n a = 1e300 + 1\n}", ""},
		"a product":             {"locals {\n a = 1e300\n b = local.a * local.a\n}", ""},
		"too large a product":   {"locals {\n a = 1e300\n b = local.a * local.a\n c = local.b * local.b\n}", "flavours/a.hcl:4: Number too large"},
		"a value":               {"locals {\n a = [" + numbers(4000) + "]\n}", ""},
		"too large a value":     {"locals {\n a = [" + numbers(5000) + "]\n}", "flavours/a.hcl:2: Value too large"},
		"a value on the way":    {"locals {\n a = [" + numbers(3000) + "]\n b = length([for x in local.a: \"" + strings.Repeat("x", 100) + "\"])\n}", "flavours/a.hcl:3: Value too large"},
		"one that try hides":    {"locals {\n a = [" + numbers(2000) + "]\n b = try([for x in local.a: [for y in local.a: [for z in local.a: x + y]]], 1)\n}", "flavours/a.hcl:3: Too much to evaluate"},
		"comments":              {strings.Repeat("# x\n", 2000) + "locals {\n" + strings.Repeat("# x\n", 2000) + "}", ""},
		"operators over lines":  {"locals {\n a = (" + strings.Repeat("1 +\n", 600) + "1)\n}", "Nested too deeply"},
		"operators in elements": {"locals {\n a = [" + strings.Repeat("1 + 1,\n", 600) + "]\n}", ""},
		"a width":               {"locals {\n a = format(\"%999d\", 1)\n}", ""},
		"too large a width":     {"locals {\n a = format(\"%9999d\", 1)\n}", "flavours/a.hcl:2: Error in function call"},
		"names of a loop":       {"locals {\n a = [for k, v in { x = \"1\" } : \"${k}-${v}-${upper(v)}\" if v != \"2\"]\n}", ""},
		"an unknown one":        {"locals {\n a = [for x in [\"1\"] : \"${x}-${upper(y)}\"]\n}", "flavours/a.hcl:2: Unknown name"},
	} {
		_, diags := Load(fstest.MapFS{"flavours/a.hcl": {Data: []byte(c.src)}}, Options{})
		if len(diags) > 1 || (c.want == "") != (len(diags) == 0) || len(diags) == 1 && !strings.HasSuffix(PlaceOf(*diags[0].Subject)+": "+diags[0].Summary, c.want) {
			t.Errorf("%s: want %q, got %v", name, c.want, diags)
		}
	}
}

// TestFaultsEnd wants a tree of very many faults to be left soon, and to say so.
func TestFaultsEnd(t *testing.T) {
	src := "flavour \"x\" {\n  distribution { suite = \"testing\" }\n  features = ["
	for i := range 5000 {
		src += fmt.Sprintf("\"f%d\",\n", i)
	}
	p, diags := Load(fstest.MapFS{"flavours/a.hcl": {Data: []byte(src + "]\n}")}}, Options{})
	if len(diags) != MaxFaults+1 || diags[len(diags)-1].Summary != "Too many faults" && diags[len(diags)-2].Summary != "Too many faults" {
		t.Errorf("%d faults, and at last %v", len(diags), diags[len(diags)-1])
	}
	var b strings.Builder
	if err := WriteDiagnostics(&b, p, diags, 80, false); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), "Error: "); n != mostDiagnostics || !strings.HasSuffix(b.String(), "And 801 more.\n\n") {
		t.Errorf("%d are shown, and at last %q", n, b.String()[b.Len()-100:])
	}
}

// TestBoundsInOrder: features are read at the same time, and the fault beyond a bound is where it
// is when they are read one after the other.
func TestBoundsInOrder(t *testing.T) {
	const features = 60
	for name, c := range map[string]struct {
		file func(i int) (name, text string)
		want string
	}{
		"many faults": {func(int) (string, string) {
			return "info.yaml", "type: element\n" + strings.Repeat("x: 1\n", 31)
		}, fmt.Sprintf("features/f%d/info.yaml:%d: Too many faults", 10+1000/31, 2+1000%31)},
		"words": {func(int) (string, string) {
			return "pkg.include", strings.Repeat("package\n", 10_000)
		}, fmt.Sprintf("features/f%d/pkg.include:1: Tree too large", 10+MaxParts/10_000-1)},
		"files": {func(int) (string, string) {
			return "file.include/etc/file", strings.Repeat("x", 1_000_000)
		}, fmt.Sprintf("features/f%d/file.include/etc/file:1: Files not checked", 10+mostLooked/(1_000_000+costOfLook))},
		"scripts": {func(int) (string, string) {
			return "exec.config", strings.Repeat("#\n", 100_000)
		}, fmt.Sprintf("features/f%d/exec.config:1: Scripts not checked", 10+mostScripts/200_000)},
	} {
		tree := fstest.MapFS{}
		for i := range features {
			dir := fmt.Sprintf("features/f%d/", 10+i)
			tree[dir+"info.yaml"] = &fstest.MapFile{Data: []byte("type: element\n")}
			file, text := c.file(i)
			tree[dir+file] = &fstest.MapFile{Data: []byte(text), Mode: 0o755}
		}
		_, diags := Load(tree, Options{})
		var found []string
		for _, d := range diags {
			if d.Summary == "Too many faults" || d.Summary == "Tree too large" || strings.HasSuffix(d.Summary, "not checked") {
				found = append(found, fmt.Sprintf("%s: %s", PlaceOf(*d.Subject), d.Summary))
			}
		}
		if strings.Join(found, ", ") != c.want {
			t.Errorf("%s: found %q, want %q", name, found, c.want)
		}
	}
}

// TestExcerpts shows faults of long files and lines: the right line under its
// number, cut short around what is at fault.
func TestExcerpts(t *testing.T) {
	long := strings.Repeat("ü", 1000)
	src := strings.Repeat("# line\n", 3000) + "a = \"" + long + "\" + wrong + \"" + long + "\"\nb = 1\n"
	start := strings.Index(src, "wrong")
	at := hcl.Range{Filename: "f", Start: hcl.Pos{Line: 3001, Column: 1010, Byte: start}, End: hcl.Pos{Line: 3001, Column: 1015, Byte: start + 5}}
	p := &Project{Files: map[string]*hcl.File{"f": {Bytes: []byte(src)}}}
	var b strings.Builder
	if err := WriteDiagnostics(&b, p, hcl.Diagnostics{Fault(at, "Summary", "Detail.")}, 0, true); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); !strings.Contains(got, "on f line 3001") || !strings.Contains(got, "\n3001: ...ü") || !strings.Contains(got, "\x1b[1;4mwrong\x1b[0m") || len(got) > 700 {
		t.Errorf("got %s", got)
	}
	for i := range len(src) {
		at := hcl.Range{Filename: "f", Start: hcl.Pos{Line: 1 + strings.Count(src[:i], "\n"), Byte: i}, End: hcl.Pos{Line: 1, Byte: min(i+3000, len(src))}}
		if i%97 == 0 {
			if err := WriteDiagnostics(io.Discard, p, hcl.Diagnostics{Fault(at, "Summary", "Detail.")}, 0, false); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestRuneIndex compares with counting from the start.
func TestRuneIndex(t *testing.T) {
	src := []byte(strings.Repeat("aüß€𝄞\n", 700))
	x := newRuneIndex(src)
	number := 0
	for at := range string(src) {
		if got := x.find(number); got != at {
			t.Fatalf("character %d is at %d, not at %d", number, at, got)
		}
		if got := x.count(at); got != number {
			t.Fatalf("before %d are %d characters, not %d", at, number, got)
		}
		number++
	}
	if x.count(len(src)) != number || x.find(number) != len(src) || newRuneIndex(nil).find(3) != 0 || newRuneIndex(nil).count(0) != 0 {
		t.Error("the ends are wrong")
	}
}
