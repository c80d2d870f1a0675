package system

import (
	"fmt"
	"strings"
	"testing"
)

func TestParseCName(t *testing.T) {
	for in, want := range map[string]string{
		"base":                            "[base]  ",
		"kvm-gardener_prod-amd64":         "[kvm gardener _prod] amd64 ",
		"kvm_dev_prod-arm64-1592.3":       "[kvm _dev _prod] arm64 1592.3",
		"a-b-a_c_c":                       "[a b _c]  ",
		"a-amd64-amd64":                   "[a] amd64 amd64",
		"a-amd64-arm64-today":             "[a amd64] arm64 today",
		"a-riscv64":                       "[a riscv64]  ",
		"a-amd64-1-2":                     "[a amd64 1 2]  ",
		"ostreeRepo":                      "[ostreeRepo]  ",
		"base-":                           "[base ]  ",
		"base-_dev":                       "[base  _dev]  ",
		"base\n":                          "[base]  ",
		"Base":                            "not a valid cname",
		"_dev":                            "not a valid cname",
		"":                                "not a valid cname",
		"base.x":                          "not a valid cname",
		"base-amd64-1.0\n\n":              "not a valid cname",
		"debian-testing-amd64-ostree":     "[debian testing] amd64 ostree",
		"metal-sci_usi-amd64-today.local": "[metal sci _usi] amd64 today.local",
	} {
		features, arch, version, err := ParseCName(in)
		got := fmt.Sprintf("%v %s %s", features, arch, version)
		if err != nil {
			got = strings.SplitN(err.Error(), ":", 2)[0]
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func FuzzParseCName(f *testing.F) {
	for _, s := range []string{"base", "kvm-gardener_prod-amd64-1.2", "a__b--c-arm64-", "a-amd64\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		features, arch, version, err := ParseCName(s)
		if err != nil {
			return
		}
		if version != "" && arch == "" || !strings.HasSuffix(strings.TrimSuffix(s, "\n"), version) {
			t.Errorf("%q gives architecture %q and version %q", s, arch, version)
		}
		seen := map[string]bool{}
		for _, name := range features {
			if seen[name] || strings.Contains(name, "-") || strings.LastIndex(name, "_") > 0 || !strings.Contains(s, name) {
				t.Errorf("%q gives %q", s, features)
			}
			seen[name] = true
		}
	})
}
