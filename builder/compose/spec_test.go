package compose

import (
	"reflect"
	"testing"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/config/configtest"
)

func TestResolveExtensions(t *testing.T) {
	for _, tc := range []struct {
		rule, tree string
		asked      []string
		system     string
		extensions map[string]string
		cname      string
	}{
		{
			rule:       "an extension is not part of the system, nor is what only it includes",
			tree:       "base platform\nlib element +base\nsysext-debug extension +base +lib",
			asked:      []string{"base", "sysext-debug"},
			system:     "base",
			extensions: map[string]string{"debug": "lib sysext-debug"},
			cname:      "sysext-debug",
		}, {
			rule:       "what the system has too belongs to the system",
			tree:       "base platform\nlib element\npodman element +base +lib\ndebug extension +lib",
			asked:      []string{"podman", "debug"},
			system:     "base lib podman",
			extensions: map[string]string{"debug": "debug"},
			cname:      "podman-debug",
		}, {
			rule:       "what two extensions include belongs to both",
			tree:       "base platform\nlib element\none extension +lib\ntwo extension +lib",
			asked:      []string{"base", "one", "two"},
			system:     "base",
			extensions: map[string]string{"one": "lib one", "two": "lib two"},
			cname:      "base-one-two",
		}, {
			rule:       "an extension that a feature includes is one all the same",
			tree:       "base platform\ntools element +base +debug\ndebug extension +lib\nlib element",
			asked:      []string{"tools"},
			system:     "base tools",
			extensions: map[string]string{"debug": "lib debug"},
			cname:      "tools",
		}, {
			rule:       "an extension that an extension includes is one of its own",
			tree:       "base platform\nouter extension +inner\ninner extension +lib\nlib element",
			asked:      []string{"base", "outer"},
			system:     "base",
			extensions: map[string]string{"inner": "lib inner", "outer": "outer"},
			cname:      "base-outer",
		}, {
			rule:       "what an extension excludes is in neither",
			tree:       "base platform +lib\nlib element\ndebug extension +lib -lib",
			asked:      []string{"base", "debug"},
			system:     "base",
			extensions: map[string]string{"debug": "debug"},
			cname:      "base-debug",
		},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			s, diags := Resolve(configtest.Project(t, tc.tree), flavour(tc.asked...))
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			if got := names(s.Features); got != tc.system {
				t.Errorf("the system is %q, want %q", got, tc.system)
			}
			extensions := map[string]string{}
			for _, e := range s.Extensions {
				extensions[e.Name] = names(e.Features)
			}
			if !reflect.DeepEqual(extensions, tc.extensions) {
				t.Errorf("extensions are %q, want %q", extensions, tc.extensions)
			}
			if s.CanonicalName != tc.cname {
				t.Errorf("cname is %q, want %q", s.CanonicalName, tc.cname)
			}
		})
	}
}

func TestResolveFaults(t *testing.T) {
	for _, tc := range []struct {
		rule, tree string
		asked      []string
		want       []string
	}{
		{"unknown features, all of them", "base platform\npodman element", []string{"bsae", "podman", "pdoman"}, []string{
			`flavour:1: Unknown feature: Flavour "try" names feature "bsae", but there is no such feature. Did you mean "base"?`,
			`flavour:3: |"podman"?`,
		}},
		{"both places of an exclude", "base platform\nlib element -base", []string{"base", "lib"}, []string{
			`flavour:1: Excluded feature: |names feature "base", but feature "lib"|(tree:2)`,
		}},
		{"a selected feature of no known type", "base elment", []string{"base"}, []string{
			`tree:1: Feature without a known type: Flavour "try" needs it, but feature "base" has the unknown type "elment".`,
		}},
		{"no feature at all", "base platform", nil, []string{`flavour:0: Nothing to build`}},
		{"a broken tree", "base platform +none", []string{"base"}, []string{`tree:1: Unknown feature`}},
		{"two features for one stage", "a element stage=image\nb element stage=image", []string{"a", "b"}, []string{
			`tree:2: Two features for one stage: |"a" (tree:1)|"b"|the stage "image"`,
		}},
		{"a stage within an extension", "base platform\nx extension +c\nc element stage=commit", []string{"base", "x"}, []string{
			`tree:3: Stage within an extension: |only extension "x"`,
		}},
		{"two extensions of one name", "sysext-debug extension\ndebug extension", []string{"debug", "sysext-debug"}, []string{
			`tree:1: Two extensions of one name: Features "debug" and "sysext-debug" would both become the extension "debug".`,
		}},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			s, diags := Resolve(configtest.Project(t, tc.tree), flavour(tc.asked...))
			if s != nil {
				t.Error("there is a Spec")
			}
			wantFaults(t, diags, tc.want...)
		})
	}
}

func TestStageFeature(t *testing.T) {
	s, diags := Resolve(configtest.Project(t, "repo element stage=commit\nbase platform"), flavour("base", "repo"))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if f := s.StageFeature("commit"); f == nil || f.Name != "repo" {
		t.Errorf("commit: %v", f)
	}
	if f := s.StageFeature("image"); f != nil {
		t.Errorf("image: %v", f)
	}
}

func TestFlavoursMayHaveSeveralPlatforms(t *testing.T) {
	s, diags := Resolve(configtest.Project(t, "p platform\nq platform\nx element"), flavour("q", "p", "x", "p"))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if got := s.selection.Platforms(); !reflect.DeepEqual(got, []string{"p", "q"}) {
		t.Errorf("platforms are %q", got)
	}
}

// kitchen is a project with parameters of all types.
func kitchen(t *testing.T) *config.Project {
	p := configtest.Project(t, "base platform\nrepo element +base\nunused element")
	p.Features["base"].Parameters = []config.Parameter{
		{Name: "kernel", Type: config.String, Default: "cloud", Values: []string{"cloud", "generic"}},
		{Name: "docs", Type: config.Bool, Default: true},
		{Name: "free_mib", Type: config.Int, Default: int64(512)},
		{Name: "extra", Type: config.List, Default: []string{"vim", "linux-${arch}"}},
		{Name: "bare", Type: config.String},
	}
	p.Features["repo"].Parameters = []config.Parameter{
		{Name: "ref", Type: config.String, Default: "${family}/${suite}/${arch}/${flavour}"},
		{Name: "raw", Type: config.String, Default: "$${arch} $arch"},
	}
	return p
}

func TestParameters(t *testing.T) {
	f := flavour("repo")
	f.Settings = []config.Setting{
		{Feature: "base", Name: "kernel", Value: "cloud"},
		{Feature: "base", Name: "docs", Value: false},
		{Feature: "base", Name: "kernel", Value: "generic"},
		{Feature: "repo", Name: "raw", Value: "${arch}"},
	}
	s, diags := Resolve(kitchen(t), f)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, tc := range []struct {
		rule, feature, name, want string
	}{
		{"the last setting wins", "base", "kernel", "generic"},
		{"bool", "base", "docs", "false"},
		{"int", "base", "free_mib", "512"},
		{"a list is joined, its elements filled in", "base", "extra", "vim linux-arm64"},
		{"no default", "base", "bare", ""},
		{"all variables of defaults", "repo", "ref", "debian/trixie/arm64/try"},
		{"what is set is not filled in", "repo", "raw", "${arch}"},
	} {
		v, ok := s.Parameters[tc.feature][tc.name]
		if !ok || v.String() != tc.want {
			t.Errorf("%s: got %#v", tc.rule, v)
		}
	}
	if s.Parameters["unused"] != nil {
		t.Error("a feature that is not selected has parameters")
	}
	if v := s.Parameters["base"]["extra"].Any; !reflect.DeepEqual(v, []string{"vim", "linux-arm64"}) {
		t.Errorf("extra is %#v", v)
	}

	s, diags = Resolve(kitchen(t), flavour("repo"))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if got := s.Parameters["repo"]["raw"].String(); got != "${arch} $arch" {
		t.Errorf("a doubled dollar gives %q", got)
	}
}

func TestParameterFaults(t *testing.T) {
	p := kitchen(t)
	p.Features["repo"].Parameters = append(p.Features["repo"].Parameters,
		config.Parameter{Name: "bad", Type: config.String, Default: "${siute}", Range: configtest.Line("repo", 7)},
		config.Parameter{Name: "open", Type: config.List, Default: []string{"x", "a${arch"}, Range: configtest.Line("repo", 8)},
		config.Parameter{Name: "host", Type: config.String, Default: "${flavour} x", Format: "host-name", Range: configtest.Line("repo", 9)},
		config.Parameter{Name: "user", Type: config.String, Range: configtest.Line("repo", 10)},
		config.Parameter{Name: "keys", Type: config.List, Requires: "user", Default: []string(nil), Range: configtest.Line("repo", 11)},
		config.Parameter{Name: "unset", Type: config.List, Requires: "user", Range: configtest.Line("repo", 12)})
	f := flavour("repo")
	for i, s := range []config.Setting{
		{Feature: "base", Name: "kernel", Value: "cloud"},
		{Feature: "unused", Name: "x", Value: "y"},
		{Feature: "rep", Name: "ref", Value: "y"},
		{Feature: "repo", Name: "keys", Value: []string{"a"}},
	} {
		s.FeatureRange, s.Range = configtest.Line("set", i+1), configtest.Line("set", i+1)
		f.Settings = append(f.Settings, s)
	}
	_, diags := Resolve(p, f)
	wantFaults(t, diags,
		`repo:7: Invalid default: In the default of parameter "bad" of feature "repo", there is no variable "siute"|Did you mean "suite"?`,
		`repo:8: |"${arch" has no closing brace`,
		`repo:9: Invalid default: The default of parameter "host" of feature "repo" has to be a host name, not "try x"`,
		`set:2: Setting without effect: Parameter "x" is set for feature "unused", which is not part of flavour "try".`,
		`set:3: Setting without effect: |Did you mean "repo"?`,
		`set:4: Setting without effect: Parameter "keys" of feature "repo" has an effect only together with "user", which flavour "try" does not set.`,
	)
}

func TestEnvironment(t *testing.T) {
	p := kitchen(t)
	p.Features["debug"] = &config.Feature{Name: "debug", Type: config.Extension}
	f := flavour("repo", "debug")
	f.Distribution.Mirror, f.Distribution.Components, f.Distribution.Keyring = "https://anna:secret@mirror.example/debian", []string{"main", "contrib"}, "keys/own.gpg"
	s, diags := Resolve(p, f)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	want := map[string]string{
		"BUILDER_FLAVOUR": "try", "BUILDER_ARCH": "arm64", "BUILDER_SUITE": "trixie",
		"BUILDER_CNAME": "repo", "BUILDER_FEATURES": "base,repo",
		"BUILDER_MIRROR": "https://mirror.example/debian", "BUILDER_COMPONENTS": "main contrib", "BUILDER_KEYRING": "keys/own.gpg",
	}
	if got := s.Environment("debug"); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	lines := s.Parameters["repo"]["ref"]
	lines.Any, lines.lines = []string{"one key", "two"}, true
	if got := lines.String(); got != "one key\ntwo" {
		t.Errorf("a list whose elements have a format is %q", got)
	}
	want["PARAM_REF"], want["PARAM_RAW"] = "debian/trixie/arm64/try", "${arch} $arch"
	if got := s.Environment("repo"); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPackages(t *testing.T) {
	p := kitchen(t)
	base, repo := p.Features["base"], p.Features["repo"]
	base.Packages = configtest.Lines("base/pkg.include", "linux-$kernel-$arch", "vim", "man-db [docs]", "ostree", "nano")
	base.ExcludePackages = configtest.Lines("base/pkg.exclude", "git [arm64]", "systemd [amd64]")
	base.PackagesBuild = configtest.Lines("base/pkg.build", "gcc:$arch")
	repo.Packages = configtest.Lines("repo/pkg.include", "git", "systemd", "ostree=2026.4", "vim")
	repo.ExcludePackages = configtest.Lines("repo/pkg.exclude", "nano", "absent")
	debug := &config.Feature{Name: "debug", Type: config.Extension, Packages: configtest.Lines("debug/pkg.include", "gdb", "nano", "systemd")}
	p.Features["debug"] = debug

	s, diags := Resolve(p, flavour("repo", "debug"))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if got, want := packages(s.Packages), "linux-cloud-arm64 vim man-db ostree=2026.4 systemd"; got != want {
		t.Errorf("the system's packages are %q, want %q", got, want)
	}
	if w := s.Packages[1]; w.Range.Filename != "base/pkg.include" || w.Range.Start.Line != 2 {
		t.Errorf("vim is not said to come from its first mention: %#v", w)
	}
	// The system's excludes say nothing about extensions.
	if got, want := packages(s.Extensions[0].Packages), "gdb nano systemd"; got != want {
		t.Errorf("the extension's packages are %q, want %q", got, want)
	}
	if len(s.BuildPackages) != 1 || packages(s.BuildPackages["base"]) != "gcc:arm64" {
		t.Errorf("packages for building are %v", s.BuildPackages)
	}
}

func TestPackageFaults(t *testing.T) {
	p := kitchen(t)
	p.Features["base"].Packages = configtest.Lines("base/pkg.include", "ostree=1", "vim=2")
	p.Features["repo"].Packages = configtest.Lines("repo/pkg.include", "ostree=2", "vim=2", "[docs]")
	p.Features["repo"].ExcludePackages = configtest.Lines("repo/pkg.exclude", "gdb=3", "$kernel")
	_, diags := Resolve(p, flavour("repo"))
	wantFaults(t, diags,
		`repo/pkg.include:3: Missing package`,
		`repo/pkg.exclude:1: Version in an exclude`,
		// Another feature's parameters are not in scope.
		`repo/pkg.exclude:2: Unknown variable: There is no parameter "kernel" here.`,
		`repo/pkg.include:1: Two versions of one package: Package "ostree" is requested in version 2 here and in version 1 at base/pkg.include:1.`,
	)
}

func TestCheck(t *testing.T) {
	p := kitchen(t)
	p.Features["base"].Packages = configtest.Lines("base/pkg.include", "Bad [arm64]")
	p.Features["unused"].Packages = configtest.Lines("unused/pkg.include", "$nope")
	p.Features["unused"].Parameters = []config.Parameter{{Name: "arch", Type: config.String, Default: "${x}", Range: configtest.Line("unused", 4)}}
	p.Flavours = []*config.Flavour{flavour("base"), flavour("repo"), flavour("none"), flavour()}
	wantFaults(t, Check(p, nil),
		`unused:4: Reserved name: Feature "unused" cannot have a parameter "arch"`,
		`unused:4: Invalid default`,
		`unused/pkg.include:1: Unknown variable`,
		// Found by two flavours, reported once.
		`base/pkg.include:1: Invalid package name`,
		`flavour:1: Unknown feature`,
	)

	p.Features["repo"].Exclude = []config.FeatureRef{{Name: "repo", Range: configtest.Line("tree", 2)}}
	wantFaults(t, Check(p, nil), `tree:2: Features in a circle`, `Reserved name`, `Invalid default`, `Unknown variable`)
}
