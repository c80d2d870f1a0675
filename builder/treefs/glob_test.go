package treefs

import (
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/treetest"
)

func TestGlobTree(t *testing.T) {
	tree := treetest.Lay(t, t.TempDir(), "etc/a.conf", "etc/b.conf", "etc/.hidden.conf", "etc/sub/c.conf", "etc/sub/deep/d.conf", "etc/.git/e.conf",
		"usr/share/doc/bash/README", "usr/share/doc/bash/copyright", "usr/bin/tool", "bin -> usr/bin", "dangling -> nowhere",
		"etc/we ird/x", "etc/[odd]", "etc/loop -> .", "abs -> /etc")
	for _, tc := range []struct {
		pattern string
		want    []string
	}{
		{"/etc/a.conf", []string{"/etc/a.conf"}},
		{"etc/a.conf", []string{"/etc/a.conf"}},
		{"/etc/none", nil},
		{"/etc/*.conf", []string{"/etc/a.conf", "/etc/b.conf"}},
		{"/etc/.*.conf", []string{"/etc/.hidden.conf"}},
		{"/etc/?.conf", []string{"/etc/a.conf", "/etc/b.conf"}},
		{"/etc/[!a].conf", []string{"/etc/b.conf"}},
		{"/etc/[^a].conf", []string{"/etc/b.conf"}},
		{"/etc/[ab].conf", []string{"/etc/a.conf", "/etc/b.conf"}},
		{"/etc/*/c.conf", []string{"/etc/sub/c.conf"}},
		{"/etc/**/*.conf", []string{"/etc/a.conf", "/etc/b.conf", "/etc/sub/c.conf", "/etc/sub/deep/d.conf"}},
		{"/**/README", []string{"/usr/share/doc/bash/README"}},
		{"/usr/share/doc/**", []string{"/usr/share/doc", "/usr/share/doc/bash", "/usr/share/doc/bash/README", "/usr/share/doc/bash/copyright"}},
		{"/usr/share/doc/*/[!c]*", []string{"/usr/share/doc/bash/README"}},
		{`/etc/\[!odd]`, nil},
		{"/bin/*", []string{"/bin/tool"}},
		{"/bin", []string{"/bin"}},
		{"/dangling", []string{"/dangling"}},
		{"/dang*", []string{"/dangling"}},
		{"/etc/we ird/*", []string{"/etc/we ird/x"}},
		{`/etc/\[odd\]`, []string{"/etc/[odd]"}},
		{"/etc/../etc/a.conf", []string{"/etc/a.conf"}},
		{"/../../etc/a.conf", []string{"/etc/a.conf"}},
		{"/etc/sub/", []string{"/etc/sub"}},
		{"/etc/a.conf/", nil},
		{"/etc/a.conf/**", nil},
		{"/usr/*/", []string{"/usr/bin", "/usr/share"}},
		{"/usr/**/", []string{"/usr", "/usr/bin", "/usr/share", "/usr/share/doc", "/usr/share/doc/bash"}},
		{"/usr/**/**/bash", []string{"/usr/share/doc/bash"}},
		{"/**/tool", []string{"/bin/tool", "/usr/bin/tool"}},
		{"/usr/share/doc/bash/[[:upper:]]*", []string{"/usr/share/doc/bash/README"}},
		{"/usr/share/doc/bash/[[:upper:]c-d]*", []string{"/usr/share/doc/bash/README", "/usr/share/doc/bash/copyright"}},
		{"/etc/[]x[]odd*", []string{"/etc/[odd]"}},
		{`/etc/[\[]odd[\]]`, []string{"/etc/[odd]"}},
		{"/etc/[z-a].conf", nil},
		{"/etc/[a", nil},
		{"/etc/[odd*", []string{"/etc/[odd]"}},
		{"/etc/[.]hidden.conf", nil},
		{"/etc/{a,b}.conf", nil},
	} {
		got, err := Glob(tree, tc.pattern)
		if err != nil {
			t.Errorf("%s: %v", tc.pattern, err)
			continue
		}
		slices.Sort(got)
		got = slices.DeleteFunc(got, func(s string) bool { return strings.Contains(s, "/loop") || strings.Contains(s, "/abs/") })
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, want %q", tc.pattern, got, tc.want)
		}
	}
}
