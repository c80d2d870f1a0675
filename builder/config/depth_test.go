package config

import (
	"strings"
	"testing"
	"testing/fstest"
)

// TestTooDeep feeds what would overflow the parser's stack, or keep it busy for
// minutes. What a person could mean has to pass.
func TestTooDeep(t *testing.T) {
	load := func(name, src string) string {
		_, diags := Load(fstest.MapFS{name: {Data: []byte(src)}}, Options{})
		var summaries []string
		for _, d := range diags {
			summaries = append(summaries, d.Summary)
		}
		return strings.Join(summaries, ", ")
	}
	for _, s := range []string{"[", "{", "(", `"${`, "!", "-", "a ? b : ", "upper(", "x = { y = ", "a[", "a + ", "a == b && "} {
		deep := strings.Repeat(s, 20_000)
		if got := load("flavours/a.hcl", "locals { a = "+deep); got != "Nested too deeply" {
			t.Errorf("in HCL, a depth of %q gives %q", s, got)
		}
		if got := load("flavours/a.yaml", "locals:\n  a: |\n    ${"+deep); got != "Nested too deeply" && s != "x = { y = " {
			t.Errorf("in YAML, a depth of %q gives %q", s, got)
		}
	}
	if got := load("flavours/a.yaml", strings.Repeat("- ", 9000)); got != "Nested too deeply" {
		t.Errorf("a deep YAML list gives %q", got)
	}
	if got := load("flavours/a.hcl", "locals {\na = [\n"+strings.Repeat(`"a", [1 + 2, "${upper("x")}"],`+"\n", 1000)+"]\n}"); got != "" {
		t.Errorf("a long list gives %q", got)
	}
	if got := load("flavours/a.hcl", "locals {\n x = \"0\"\n a = \""+strings.Repeat("${local.x}", 400)+"\"\n}"); got != "" {
		t.Errorf("a long string gives %q", got)
	}
}

// TestDoubling holds locals that double each other to a size.
func TestDoubling(t *testing.T) {
	src := "locals {\n  l0 = \"0123456789\"\n"
	for i := range 60 {
		src += "  l" + string(rune('a'+i/26)) + string(rune('a'+i%26)) + " = \"${local." + before(i) + "}${local." + before(i) + "}\"\n"
	}
	_, diags := Load(fstest.MapFS{"flavours/a.hcl": {Data: []byte(src + "}")}}, Options{})
	if len(diags) != 1 || diags[0].Summary != "Value too large" {
		t.Errorf("doubling gives %v", diags)
	}
}

func before(i int) string {
	if i == 0 {
		return "l0"
	}
	i--
	return "l" + string(rune('a'+i/26)) + string(rune('a'+i%26))
}
