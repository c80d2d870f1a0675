package config

import (
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
)

// TestManyHCLFaults: very many faults of syntax, also in very long lines, are reported in a short time.
func TestManyHCLFaults(t *testing.T) {
	for name, src := range map[string]string{
		"quotes in one line": strings.Repeat("a = 'b' ", 20_000),
		"lines with colons":  strings.Repeat("a: 'b'\n", 20_000),
		"open blocks":        strings.Repeat("a {\n", 300),
		"items":              "a = [\n" + strings.Repeat("1\n", 20_000) + "]\n",
	} {
		begun := time.Now()
		_, body, _, diags := parseHCL("flavours/x.hcl", []byte(src), &budget{left: maxWork})
		if took := time.Since(begun); body != nil || len(diags) == 0 || len(diags) > MaxFaults || took > 20*time.Second {
			t.Errorf("%s: %d faults after %v", name, len(diags), took)
		}
		var b strings.Builder
		if err := WriteDiagnostics(&b, &Project{Files: map[string]*hcl.File{"flavours/x.hcl": {Bytes: []byte(src)}}}, diags, 80, false); err != nil {
			t.Fatal(err)
		}
	}
}
