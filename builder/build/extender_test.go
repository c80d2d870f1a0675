package build

import (
	"slices"
	"testing"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/extend"
)

// TestJobProgress: a client of the server gets the progress of a build, without details of the machine.
func TestJobProgress(t *testing.T) {
	var heard []extend.Message
	p := &jobProgress{tell: func(m extend.Message) { heard = append(heard, m) }}
	for _, e := range []event.Event{
		{Kind: event.Waiting, Line: "another build of secret is running"},
		{Kind: event.PhaseStarted, Title: "resolve packages"},
		{Kind: event.PhaseFinished, Title: "resolve packages"},
		{Kind: event.BuildStarted, Flavour: "a", Total: 2, Cached: 5},
		{Kind: event.StepStarted, Title: "install 1 package"},
		{Kind: event.StepOutput, Line: "/root/secret"},
		{Kind: event.StepFinished},
		{Kind: event.StepStarted, Title: "pack added.raw"},
		{Kind: event.StepFinished},
		{Kind: event.Made, Line: "/srv/secret/added.raw"},
	} {
		p.Emit(e)
	}
	want := []extend.Message{
		{Step: "wait for another build"}, {Step: "resolve packages"}, {Steps: 2}, {Step: "install 1 package", Steps: 2}, {Step: "install 1 package", Ended: 1, Steps: 2},
		{Step: "pack added.raw", Ended: 1, Steps: 2}, {Step: "pack added.raw", Ended: 2, Steps: 2},
	}
	if !slices.Equal(heard, want) {
		t.Errorf("heard %+v\nwant %+v", heard, want)
	}
}
