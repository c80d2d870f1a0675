package config

import (
	"bytes"
	"testing"
)

// FuzzTemplate: whatever a template says, it is either at fault, with a place, or comes
// to the same text each time, in bounded space.
func FuzzTemplate(f *testing.F) {
	for _, seed := range []string{
		"", "plain", "${title}", "$${title} %%{ if", "%{ for p in peers ~}\n${p.name}\n%{ endfor ~}", "%{ if yes }a%{ else }b%{ endif }",
		"${shellquote(keys)} ${unitquote(title)} ${indent(3, title)} ${jsonencode(peers)}", "${[for k in keys : upper(k)][0]}", "${", "%{ for", "\xff", "${\"${\"",
		"${join(\",\", [for a in keys : join(\",\", [for b in keys : a])])}", "${try(peers[9].name, \"none\")}", "${format(\"%9999s\", title)}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		if len(src) > 4<<10 {
			return
		}
		x := Template{Name: "t", Source: src}
		first, diags := x.Render(values)
		for _, d := range diags {
			if d.Subject == nil {
				t.Errorf("a fault without a place: %s: %s", d.Summary, d.Detail)
			}
		}
		if len(first) > maxValue {
			t.Errorf("it comes to %d bytes", len(first))
		}
		if again, _ := x.Render(values); !bytes.Equal(first, again) {
			t.Errorf("it comes to %q, then to %q", first, again)
		}
	})
}
