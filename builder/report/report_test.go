package report

import (
	"bytes"
	"fmt"
	"html/template"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// sample is a report with something in each part, and hostile names.
func sample() *Report {
	r := &Report{
		Flavour: "kiosk-<b>-with-a-rather-long-name-that-has-no-blank", Description: "A system & more", System: "Debian testing, amd64",
		Ref: "debian/testing/amd64", Commit: strings.Repeat("ab12", 16), Version: "20261126", Parent: strings.Repeat("cd34", 16), Treewright: "0.1.0",
		Steps: []Step{
			{ID: "packages/base", Title: "fetch", Seconds: 24},
			{ID: "rootfs/bootstrap", Title: "bootstrap", Seconds: 360, Needs: []int{0}, Cached: true},
			{ID: "tools/install", Title: "install tools", Seconds: 96, Needs: []int{1}},
			{ID: "rootfs/exec.config/a-feature-with-a-very-long-name-indeed", Title: `run "x"`, Seconds: 600, Needs: []int{1}},
			{ID: "commit/commit", Title: "commit", Seconds: 120, Needs: []int{2, 3}},
		},
		Graph:     template.HTML(`<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="80"><rect width="1200" height="80"/></svg>`),
		Packages:  []Package{{Name: "bash", Version: "5.3-2", Architecture: "amd64", Source: "debian", Bytes: 7 << 20}},
		Files:     []string{"usr/bin/<script>", strings.Repeat("usr/lib/größe-", 20)},
		Changes:   &Changes{Changed: []Change{{"bash", "5.3-1", "5.3-2"}}, Added: []Package{{Name: "jq", Version: "1.8"}}, Removed: []Package{{Name: "vim", Version: "9"}}},
		Artifacts: []Artifact{{Name: "kiosk.raw", Kind: "file", Description: "the disk image", Bytes: 1 << 30, SHA256: strings.Repeat("ef56", 16)}},
		Warnings:  []Warning{{"commit/tree", "something <odd>"}},
	}
	for i := range 36 {
		g := Group{Name: fmt.Sprintf("feature%d-<script>-größe", i)}
		for k := range 30 {
			g.Items = append(g.Items, Item{fmt.Sprintf("package-%d-%d", i, k), int64(1<<20*(i+1)) / int64(k+1)})
		}
		r.Sizes = append(r.Sizes, g)
	}
	return r
}

func TestWrite(t *testing.T) {
	var b bytes.Buffer
	if err := Write(&b, sample()); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{
		"kiosk-&lt;b&gt;", "something &lt;odd&gt;", "5.3-1", "not there", "removed", "kiosk.raw", "1.1 GB", "1 package", "5 steps", "feature11", "which follows",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not have %q", want)
		}
	}
	for _, bad := range []string{"ZgotmplZ", "NaN", "<no value>", "<b>", "<script", "href=\"http", "src="} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	b.Reset()
	if err := Write(&b, &Report{Flavour: "empty"}); err != nil || strings.Contains(b.String(), "parent") {
		t.Errorf("a report without anything: %v\n%s", err, b.String())
	}
}

// Rectangles fill the whole, do not overlap, and have the sizes that were asked for.
func TestSquarify(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 2))
		sizes := []float64{}
		for n, last := 1+r.IntN(40), 1000.0; n > 0; n-- {
			last *= 0.6 + 0.4*r.Float64()
			sizes = append(sizes, last)
		}
		const aspect = 2.2
		rects := squarify(sizes, aspect)
		if len(rects) != len(sizes) {
			t.Fatalf("seed %d: %d sizes are %d rectangles", seed, len(sizes), len(rects))
		}
		total := sum(sizes)
		for i, a := range rects {
			if share := a.W * a.H / 10000; math.Abs(share-sizes[i]/total) > 1e-6 {
				t.Errorf("seed %d: %f of the whole has %f of the area", seed, sizes[i]/total, share)
			}
			if a.X < -1e-6 || a.Y < -1e-6 || a.X+a.W > 100+1e-6 || a.Y+a.H > 100+1e-6 {
				t.Errorf("seed %d: %+v is outside", seed, a)
			}
			for _, b := range rects[:i] {
				if a.X+1e-6 < b.X+b.W && b.X+1e-6 < a.X+a.W && a.Y+1e-6 < b.Y+b.H && b.Y+1e-6 < a.Y+a.H {
					t.Errorf("seed %d: %+v and %+v overlap", seed, a, b)
				}
			}
		}
	}
}

func TestTreemap(t *testing.T) {
	tiles := treemap([]Group{
		{"small", []Item{{"a", 10}}}, {"nothing", []Item{{"b", 0}}}, {"large", []Item{{"c", 900}, {"tiny", 1}, {"tinier", 1}, {"d", 98}}},
	})
	if len(tiles) != 2 || tiles[0].Name != "large" || tiles[0].Bytes != 1000 || tiles[1].Name != "small" {
		t.Fatalf("%+v", tiles)
	}
	var names []string
	for _, tile := range tiles[0].Tiles {
		names = append(names, tile.Name)
	}
	if want := []string{"c", "d", "2 smaller ones"}; !reflect.DeepEqual(names, want) {
		t.Errorf("tiles %q, not %q", names, want)
	}
	if !tiles[0].Tiles[0].Room || tiles[0].Tiles[2].Room {
		t.Error("texts are shown where they do not fit, or not where they do")
	}
}

func TestTimeline(t *testing.T) {
	line := timeline(sample().Steps)
	if line.Seconds != 1104 || line.Sum != 1200 {
		t.Errorf("the longest way takes %v of %v seconds, not 1104 of 1200", line.Seconds, line.Sum)
	}
	critical := map[string]bool{}
	for _, b := range line.Bars {
		critical[b.ID] = b.Critical
		if b.Left < 0 || b.Left+b.Width > 100.001 {
			t.Errorf("%s is outside: %v + %v", b.ID, b.Left, b.Width)
		}
	}
	if critical["tools/install"] || !critical["packages/base"] || !critical["commit/commit"] {
		t.Errorf("the longest way is %v", critical)
	}
	if n := len(line.Ticks); n < 5 || n > 11 {
		t.Errorf("%d ticks", n)
	}
	if got := line.Ticks[1].Text; got != "2 min" {
		t.Errorf("the second tick is %q", got)
	}
	if line = timeline([]Step{{Seconds: 1}, {Seconds: 30, Needs: []int{0}}}); line.Ticks[1].Text != "5 s" || line.Bars[1].TookStyle() != "background: none; right: 0%" {
		t.Errorf("a bar over all of the width: %+v %q", line, line.Bars[1].TookStyle())
	}
	if empty := timeline([]Step{{ID: "x"}}); len(empty.Bars) != 0 || empty.Seconds != 0 {
		t.Errorf("a step that took no time: %+v", empty)
	}
}

func TestCompare(t *testing.T) {
	before := []Package{{Name: "a", Version: "1"}, {Name: "b", Version: "1"}, {Name: "c", Version: "1"}}
	after := []Package{{Name: "a", Version: "1"}, {Name: "b", Version: "2", Architecture: "amd64"}, {Name: "d", Version: "1"}}
	c := Compare(before, after)
	if len(c.Added) != 1 || c.Added[0].Name != "d" || len(c.Removed) != 1 || c.Removed[0].Name != "c" || !reflect.DeepEqual(c.Changed, []Change{{"b", "1", "2"}}) {
		t.Errorf("%+v", c)
	}
	if got, want := c.Summary(), "1 package changed, 1 package added, 1 package removed"; got != want {
		t.Errorf("%q, not %q", got, want)
	}
	if got := Compare(before, before).Summary(); got != "no package changed" {
		t.Errorf("%q", got)
	}
	if !Compare(before, before).None() || c.None() {
		t.Error("None is wrong")
	}
}

// TestCompareArchitectures: a package may be there in two architectures, which lists of
// commits do not have.
func TestCompareArchitectures(t *testing.T) {
	of := func(versions ...string) (list []Package) {
		for _, v := range versions {
			version, arch, _ := strings.Cut(v, " ")
			list = append(list, Package{Name: "libc6", Version: version, Architecture: arch})
		}
		return list
	}
	for _, c := range []struct {
		before, after []Package
		want          Changes
	}{
		{of("1 amd64", "1 i386"), of("1 amd64", "1 i386"), Changes{}},
		{of("1", "1"), of("1 amd64", "1 i386"), Changes{}},
		{of("1 amd64", "1 i386"), of("2 amd64", "2 i386"), Changes{Changed: []Change{{"libc6", "1", "2"}}}},
		{of("1 amd64"), of("1 amd64", "1 i386"), Changes{Added: of("1 i386")}},
		{of("1 amd64", "1 i386"), of("1 i386"), Changes{Removed: of("1 amd64")}},
		{of("1 all"), of("2 amd64"), Changes{Changed: []Change{{"libc6", "1", "2"}}}},
	} {
		if got := Compare(c.before, c.after); !reflect.DeepEqual(*got, c.want) {
			t.Errorf("%v, then %v: %+v", c.before, c.after, *got)
		}
	}
}

func TestSeconds(t *testing.T) {
	for s, want := range map[float64]string{0: "0.0 s", 9.94: "9.9 s", 9.96: "10 s", 119.4: "119 s", 119.6: "2 min 00 s", 3725: "62 min 05 s"} {
		if got := seconds(s); got != want {
			t.Errorf("%v is %q, not %q", s, got, want)
		}
	}
}
