package shell

import "testing"

// FuzzCode: whatever a script is, what is left of it stands where it stood.
func FuzzCode(f *testing.F) {
	for _, s := range []string{"", "#", "a # b\n", "'", "\"$(", "cat <<E\n$(x) y\nE\nz", "<<", "<<<x", "\\", "a\\\nb", "$'\\'", "$((1<<2))\n#x", ")", "<<a<<b\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		code := Code([]byte(src))
		if len(code) != len(src) {
			t.Fatalf("%d bytes of %d", len(code), len(src))
		}
		for i := range code {
			if code[i] != src[i] && code[i] != ' ' {
				t.Fatalf("byte %d became %q", i, code[i])
			}
		}
	})
}
