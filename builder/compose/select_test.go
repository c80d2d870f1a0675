package compose

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/config/configtest"
)

func TestSelect(t *testing.T) {
	for _, tc := range []struct {
		rule, tree, asked, ignore string
		features, cname, fails    string
	}{
		{
			rule:     "closure over includes, includes first",
			tree:     "a element +b\nb element +c\nc element\nd element",
			asked:    "a",
			features: "c b a", cname: "a",
		}, {
			rule:     "platform, element, flag, extension, then name by code point",
			tree:     "_f flag\na extension\nb element\nB element\nz platform\n_e flag",
			asked:    "a _f z b B _e",
			features: "z B b _e _f a", cname: "z-B-b_e_f-a",
		}, {
			rule:     "an include comes first whatever its type and name",
			tree:     "p platform +_f\n_f flag\na element",
			asked:    "p a",
			features: "a _f p", cname: "p-a",
		}, {
			rule:     "the canonical name puts what includes first",
			tree:     "a element +b\nb platform",
			asked:    "b a",
			features: "b a", cname: "a",
		}, {
			rule:     "an exclude removes what was only included",
			tree:     "a element +b +c\nb element -c\nc element",
			asked:    "a",
			features: "b a", cname: "a",
		}, {
			rule:     "and with it what only that includes",
			tree:     "a element +b +c\nb element -c\nc element +d\nd element",
			asked:    "a",
			features: "b a", cname: "a",
		}, {
			rule:     "an excluder that was itself removed has no vote",
			tree:     "a element +b +c +d\nb element -c\nc element -d\nd element",
			asked:    "a",
			features: "b d a", cname: "a",
		}, {
			rule:     "first by topological order, not by name: x excludes y before y excludes b",
			tree:     "a element +x +b +c\nx element -y\ny element -c\nb element +y\nc element",
			asked:    "a",
			features: "b c x a", cname: "a",
		}, {
			rule:     "of two excludes the first written is the first removed",
			tree:     "a element +b +c +m\nm element -c -b\nb element\nc element -b",
			asked:    "a",
			features: "m a", cname: "a",
		}, {
			rule:     "the excluder furthest up is heard first",
			tree:     "r element +a +b +c\na element +z\nz element -b\nb element -c\nc element\nm element -z",
			asked:    "r m",
			features: "a b m r", cname: "m-r",
		}, {
			rule:     "exclude edges count for the order of the walk",
			tree:     "r element +a +b\na element -c\nb element -a +c\nc element",
			asked:    "r",
			features: "c b r", cname: "r",
		}, {
			rule:     "a feature included and excluded by the same one: the last mention decides, exclude",
			tree:     "a element +b -b\nb element",
			asked:    "a",
			features: "a", cname: "a",
		}, {
			rule:     "or include",
			tree:     "a element -b +b\nb element",
			asked:    "a",
			features: "b a", cname: "a",
		}, {
			rule:  "excluding what was asked for is an error",
			tree:  "a element -b\nb element",
			asked: "a b",
			fails: `feature "b" is requested, but "a" excludes it`,
		}, {
			rule:     "ignored features are not there, nor what only they include",
			tree:     "a element +b\nb element +c\nc element",
			asked:    "a",
			ignore:   "b nowhere",
			features: "a", cname: "a",
		}, {
			rule:     "ignored features exclude nothing",
			tree:     "a element +b +c\nb element -c\nc element",
			asked:    "a",
			ignore:   "b",
			features: "c a", cname: "a",
		}, {
			rule:  "an unknown feature",
			tree:  "a element",
			asked: "a b",
			fails: `feature "b" not found`,
		}, {
			rule:   "a feature asked for and ignored",
			tree:   "a element",
			asked:  "a",
			ignore: "a",
			fails:  `feature "a" is requested and ignored at the same time`,
		}, {
			rule:  "nothing",
			tree:  "a element",
			fails: "no feature is requested",
		}, {
			rule:  "a selected feature of unknown type",
			tree:  "a element +b\nb elment",
			asked: "a",
			fails: `feature "b" has the unknown type "elment"`,
		}, {
			rule:     "one of unknown type that is not selected does no harm",
			tree:     "a element\nb elment",
			asked:    "a",
			features: "a", cname: "a",
		},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			s, err := graph(t, tc.tree).Select(strings.Fields(tc.asked), strings.Fields(tc.ignore))
			if tc.fails != "" {
				if err == nil || err.Error() != tc.fails {
					t.Fatalf("got error %v, want %s", err, tc.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(s.Features, " "); got != tc.features {
				t.Errorf("features are %q, want %q", got, tc.features)
			}
			if s.CanonicalName != tc.cname {
				t.Errorf("cname is %q, want %q", s.CanonicalName, tc.cname)
			}
		})
	}
}

func TestSelectErrorsHaveTypes(t *testing.T) {
	g := graph(t, "a element -b\nb element\nc nonsense")
	for asked, target := range map[string]any{
		"x":   new(*NotFoundError),
		"a b": new(*ExcludedError),
		"c":   new(*TypeError),
	} {
		if _, err := g.Select(strings.Fields(asked), nil); !errors.As(err, target) {
			t.Errorf("%s: error %v is not a %T", asked, err, target)
		}
	}
}

func TestSelectionByType(t *testing.T) {
	s, err := graph(t, "p platform\nq platform\ne element +_f\n_f flag\nx extension").Select([]string{"x", "q", "e", "p"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ got, want []string }{
		{s.Platforms(), []string{"p", "q"}},
		{s.Elements(), []string{"e"}},
		{s.Flags(), []string{"_f"}},
		{s.Minimal, []string{"p", "q", "e", "x"}},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

// Edges keep the order of the tree, which for the Garden Linux builder is that
// of the directory.
func TestEdges(t *testing.T) {
	p := configtest.Project(t, "a element +d +c\nc element\nd element +c -x\nx element")
	g, _ := NewGraph([]*config.Feature{p.Features["x"], p.Features["d"], p.Features["c"], p.Features["a"]})
	s, err := g.Select([]string{"a"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.Edges(), [][2]string{{"d", "c"}, {"a", "d"}, {"a", "c"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestGraphFaults(t *testing.T) {
	for _, tc := range []struct {
		rule, tree string
		want       []string
	}{
		{"references must exist, included or excluded", "base element\na element +bsae -other", []string{
			`tree:2: Unknown feature: Feature "a" includes "bsae", but there is no such feature. Did you mean "base"?`,
			`tree:2: Unknown feature: Feature "a" excludes "other", but there is no such feature.`,
		}},
		{"a circle of includes", "a element +b\nb element +c\nc element +a", []string{
			`tree:3: Features in a circle: a -> b -> c -> a: "a" includes "b" (tree:1), "b" includes "c" (tree:2), "c" includes "a" (tree:3).`,
		}},
		{"excludes close circles too", "a element +b\nb element -a", []string{`a -> b -> a|"b" excludes "a"`}},
		{"a feature that includes itself", "a element +a", []string{`a -> a: "a" includes "a"`}},
		{"every circle is reported, beside other faults", "a element +b +d\nb element +a\nc element +d\nd element +c +none", []string{
			`tree:4: Unknown feature`, `a -> b -> a`, `d -> c -> d`,
		}},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			g, diags := NewGraph(configtest.Project(t, tc.tree).SortedFeatures())
			if g != nil {
				t.Error("there is a graph")
			}
			wantFaults(t, diags, tc.want...)
		})
	}
}

// large is a tree of 100 features with some 400 includes and 60 excludes.
func large(b *testing.B) *Graph {
	var tree []*config.Feature
	for i := range 100 {
		f := &config.Feature{Name: fmt.Sprintf("f%02d", i), Type: config.Element}
		for j := i + 1; j < 100; j++ {
			ref := config.FeatureRef{Name: fmt.Sprintf("f%02d", j)}
			switch {
			case (i*7+j*13)%12 == 0:
				f.Include = append(f.Include, ref)
			case (i*5+j*11)%79 == 0:
				f.Exclude = append(f.Exclude, ref)
			}
		}
		tree = append(tree, f)
	}
	g, diags := NewGraph(tree)
	if diags.HasErrors() {
		b.Fatal(diags)
	}
	return g
}

func BenchmarkSelect(b *testing.B) {
	g := large(b)
	for b.Loop() {
		if _, err := g.Select([]string{"f00", "f01"}, nil); err != nil {
			b.Fatal(err)
		}
	}
}
