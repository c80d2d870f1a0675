package cli

import (
	"regexp"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/build"
)

var (
	// inLegend is a colour of the legend and what it says, inBox the colour of a step and
	// its ID, aColour what a class looks like on light ground.
	inLegend = regexp.MustCompile(`<rect class="([^"]*)" [^>]*width="14"[^>]*/><text [^>]*>([^<]*)</text>`)
	inBox    = regexp.MustCompile(`<rect class="([^"]*)" [^>]*rx="5"/>.*<text text-anchor="middle"[^>]*>([^<]*)</text></g>`)
	aColour  = regexp.MustCompile(`\.graph \.(k\d+) \{ fill: (#[0-9a-f]+); \}`)
)

// TestLegend: in a picture, a step of each state has the colour, and the dashes, that the
// legend has beside the name of the state; these differ from state to state, and are what
// the help says.
func TestLegend(t *testing.T) {
	steps := []build.Step{
		{ID: "rootfs/a", State: build.Cached}, {ID: "rootfs/b", State: build.ToRun, Needs: []string{"rootfs/a"}}, {ID: "rootfs/c", State: build.NotNeeded, Needs: []string{"rootfs/b"}}, {ID: "rootfs/d", State: build.Remote},
	}
	var b strings.Builder
	if err := svg(&b, "x", steps); err != nil {
		t.Fatal(err)
	}
	stateNamed := map[string]build.State{"in the cache": build.Cached, "to run": build.ToRun, "in the remote cache": build.Remote, "not needed: what it leads to is there": build.NotNeeded}
	legend := map[build.State]string{}
	for _, m := range inLegend.FindAllStringSubmatch(b.String(), -1) {
		legend[stateNamed[m[2]]] = m[1]
	}
	boxes := map[string]string{}
	for _, m := range inBox.FindAllStringSubmatch(b.String(), -1) {
		boxes[m[2]] = m[1]
	}
	for _, s := range steps {
		if class := boxes[s.ID]; class == "" || class != legend[s.State] {
			t.Errorf("step %s is %q, and the legend has %q for %q", s.ID, class, legend[s.State], s.State)
		}
	}
	light, _, _ := strings.Cut(b.String(), "@media")
	seen := map[string]string{}
	for _, m := range aColour.FindAllStringSubmatch(light, -1) {
		if before := seen[m[2]]; before != "" {
			t.Errorf("%s and %s have one colour", before, m[1])
		}
		seen[m[2]] = m[1]
	}
	if len(seen) != len(steps) || len(legend) != len(steps) {
		t.Errorf("%d colours and %d lines of the legend for %d states", len(seen), len(legend), len(steps))
	}
	if !strings.HasSuffix(legend[build.NotNeeded], " dashed") || strings.Contains(legend[build.ToRun]+legend[build.Cached], "dashed") {
		t.Errorf("what is dashed is not what the help says: %v", legend)
	}
}
