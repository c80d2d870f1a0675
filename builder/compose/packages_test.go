package compose

import (
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/config/configtest"
)

func lineScope() scope {
	f := &config.Feature{Name: "base", Parameters: []config.Parameter{
		{Name: "kernel", Type: config.String, Values: []string{"cloud", "generic"}},
		{Name: "docs", Type: config.Bool},
		{Name: "extra", Type: config.List},
		{Name: "none", Type: config.List},
		{Name: "empty", Type: config.String},
		{Name: "soname", Type: config.Int},
	}}
	values := map[string]Value{
		"kernel": {Any: "cloud"}, "docs": {Any: true}, "extra": {Any: []string{"vim", "zsh"}},
		"none": {Any: []string{}}, "empty": {Any: ""}, "soname": {Any: int64(12)},
	}
	return newScope(f, values, map[string]string{"arch": "amd64", "suite": "trixie", "family": "debian", "flavour": "try"})
}

func TestPackageLine(t *testing.T) {
	for text, want := range map[string]string{
		// names
		"gdb":                      "gdb",
		"libstdc++6":               "libstdc++6",
		"libc6:i386":               "libc6:i386",
		"gdb=1:2.3~rc1-4+b1":       "gdb=1:2.3~rc1-4+b1",
		"libc6:arm64=2.41-1":       "libc6:arm64=2.41-1",
		"linux-image-$arch":        "linux-image-amd64",
		"linux-${kernel}-${arch}x": "linux-cloud-amd64x",
		"$kernel-$suite$soname":    "cloud-trixie12",
		"lib${family}-$flavour":    "libdebian-try",
		// lists
		"$extra":         "vim zsh",
		"${extra}-$arch": "vim-amd64 zsh-amd64",
		"a$extra$extra":  "avimvim avimzsh azshvim azshzsh",
		"$none":          "",
		"$none-x":        "",
		"$empty":         "",
		// conditions
		"gdb [amd64]":                        "gdb",
		"gdb [arm64]":                        "",
		"gdb [!amd64]":                       "",
		"gdb [!arm64]":                       "gdb",
		"gdb [arm64 amd64]":                  "gdb",
		"gdb [!arm64 !riscv64]":              "gdb",
		"gdb [!arm64 !amd64]":                "",
		"gdb[amd64]":                         "gdb",
		"gdb\t[ amd64 ]":                     "gdb",
		"gdb [docs]":                         "gdb",
		"gdb [!docs]":                        "",
		"gdb [docs=true]":                    "gdb",
		"gdb [kernel=cloud]":                 "gdb",
		"gdb [kernel=generic]":               "",
		"gdb [kernel!=generic]":              "gdb",
		"gdb [!kernel=generic]":              "gdb",
		"gdb [!kernel!=generic]":             "",
		"gdb [kernel=generic amd64]":         "gdb",
		"gdb [amd64 !docs]":                  "",
		"gdb [amd64 arm64 kernel!=generic]":  "gdb",
		"gdb [arm64 kernel!=generic]":        "",
		"gdb [amd64] [kernel=generic]":       "",
		"gdb [amd64] [docs]":                 "gdb",
		"gdb [amd64][docs]":                  "gdb",
		"gdb [suite=trixie] [family=debian]": "gdb",
		"gdb [suite=testing]":                "",
		"gdb [arch=arm64]":                   "",
		"gdb [extra=zsh]":                    "gdb",
		"gdb [extra!=zsh]":                   "",
		"gdb [extra=nano]":                   "",
		"gdb [soname=12]":                    "gdb",
	} {
		ws, diags := wants(configtest.Lines("pkg.include", text), lineScope)
		if diags.HasErrors() {
			t.Errorf("%q: %v", text, diags)
		}
		if got := packages(ws); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestPackageLineFaults(t *testing.T) {
	for text, want := range map[string]struct {
		columns string // what of the line is meant
		says    string
	}{
		"Gdb":                    {"Gdb", `Invalid package name: "Gdb" is not a package`},
		"g":                      {"g", `Invalid package name`},
		"-gdb":                   {"-gdb", `Invalid package name`},
		"gdb=":                   {"gdb=", `Invalid package name`},
		"gdb=1 2":                {"2", `More than one package on a line`},
		"gdb strace":             {"strace", `More than one package on a line`},
		"gdb [amd64] strace":     {"strace", `More than one package on a line`},
		"x-$empty$kernel_":       {"$kernel_", `Unknown variable: There is no parameter "kernel_" here. Did you mean "kernel"?`},
		"linux-${kernle}-$arch":  {"${kernle}", `Did you mean "kernel"?`},
		"$(echo gdb)":            {"$(echo", `Invalid variable`},
		"gdb-${arch":             {"${arch", `Invalid variable`},
		"gdb-$":                  {"$", `Invalid variable`},
		"gdb-${1}":               {"${1}", `Invalid variable`},
		"gdb [adm64]":            {"adm64", `Unknown condition: "adm64" is neither an architecture nor a parameter of type bool. Did you mean "amd64"?`},
		"gdb [!dosc]":            {"!dosc", `Did you mean "docs"?`},
		"gdb [amd64 !dosc]":      {"!dosc", `Did you mean "docs"?`},
		"gdb [kernel]":           {"kernel", `"kernel" is a string, so it must be compared with a value: [kernel=VALUE].`},
		"gdb [kernle=cloud]":     {"kernle=cloud", `There is no parameter "kernle" here. Did you mean "kernel"?`},
		"gdb [kernel=clod]":      {"kernel=clod", `"kernel" is never "clod". Did you mean "cloud"?`},
		"gdb [docs=yes]":         {"docs=yes", `"docs" is never "yes"`},
		"gdb [arch=adm64]":       {"arch=adm64", `"arch" is never "adm64". Did you mean "amd64"?`},
		"gdb [arm64] [adm64]":    {"adm64", `Unknown condition`},
		"gdb []":                 {"[]", `Empty condition`},
		"gdb [ ]":                {"[ ]", `Empty condition`},
		"gdb [amd64":             {"[amd64", `Unclosed condition`},
		"gdb [!]":                {"!", `Invalid condition`},
		"gdb [=x]":               {"=x", `Invalid condition`},
		"gdb [!!docs]":           {"!!docs", `Invalid condition`},
		"[amd64]":                {"", `Missing package`},
		"":                       {"", `Missing package`},
		"ü $arch":                {"$arch", `More than one package on a line`},
		"gdb$arch=$nope [kernel": {"[kernel", `Unclosed condition`},
	} {
		_, diags := wants(configtest.Lines("pkg.include", text), lineScope)
		if len(diags) != 1 {
			t.Errorf("%q: %d faults: %v", text, len(diags), diags)
			continue
		}
		d := diags[0]
		if got := d.Summary + ": " + d.Detail; !strings.Contains(got, want.says) {
			t.Errorf("%q: got %q, want %q", text, got, want.says)
		}
		if got := text[d.Subject.Start.Byte:d.Subject.End.Byte]; got != want.columns {
			t.Errorf("%q: the fault is at %q, want %q", text, got, want.columns)
		}
	}
}

func TestAllFaultsOfALineAreReported(t *testing.T) {
	_, diags := wants(configtest.Lines("pkg.include", "fine", "$a-$b [c d=e]"), lineScope)
	wantFaults(t, diags, `"c"`, `"d"`, `"a"`, `"b"`)
	if r := diags[3].Subject; r.Start.Line != 2 || r.Start.Column != 4 || r.End.Column != 6 {
		t.Errorf("range is %v", r)
	}
}

func FuzzPackageLine(f *testing.F) {
	for _, s := range []string{"gdb", "linux-$arch [kernel=cloud !docs] [amd64]", "${extra}=1", "a$", "[x", "x [!=]"} {
		f.Add(s)
	}
	sc := lineScope()
	f.Fuzz(func(t *testing.T, s string) {
		ws, diags := wants(configtest.Lines("pkg.include", s), func() scope { return sc })
		for _, w := range ws {
			if !packageName.MatchString(w.Name) {
				t.Errorf("%q gives %q", s, w.Name)
			}
		}
		for _, d := range diags {
			if r := d.Subject; r.Start.Byte < 0 || r.End.Byte > len(s) || r.Start.Byte > r.End.Byte {
				t.Errorf("%q: range %v", s, r)
			}
		}
	})
}
