package stage

import "testing"

// TestDeltasOutsideOfTheCommit: another number of static deltas changes no other step.
func TestDeltasOutsideOfTheCommit(t *testing.T) {
	plan := withParameters(t)
	none, _ := plan(nil)
	two, _ := plan(map[string]any{"deltas": int64(2)})
	three, _ := plan(map[string]any{"deltas": int64(3)})
	if none.Step("commit/deltas") != nil || two.Step("commit/deltas") == nil || two.Key("commit/deltas") == three.Key("commit/deltas") {
		t.Error("deltas = 0 makes some, or two are the same as three")
	}
	for _, s := range none.Steps() {
		if key := none.Key(s.ID); key != two.Key(s.ID) || key != three.Key(s.ID) {
			t.Errorf("the key of %s depends on the number of static deltas", s.ID)
		}
	}
}
