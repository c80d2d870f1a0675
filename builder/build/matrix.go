package build

import (
	"maps"
	"slices"
	"time"

	"github.com/treewright/treewright/builder/divide"
)

// MatrixJob is what one machine of several builds.
type MatrixJob struct {
	divide.Job
	// Steps is how many steps there are in the job, and Shared are those of several flavours,
	// which are done once, in the order of the plans.
	Steps  int
	Shared []SharedStep
}

// SharedStep is a step of several flavours of a job.
type SharedStep struct {
	Step, Title string
	Time        time.Duration
	Flavours    int
}

// Matrix divides flavours into jobs.
type Matrix struct {
	Jobs []MatrixJob
	// Work is how long the steps of each flavour take, one after the other, by name.
	Work map[string]time.Duration
}

// Divide divides outlines into jobs, at most n, by the steps that they share and the
// times that are known; with 0 the number is chosen.
func Divide(all []*Outline, t Times, n int) Matrix {
	times := t.estimates(all)
	items := make([]divide.Item, len(all))
	byName := map[string]*Outline{}
	m := Matrix{Work: map[string]time.Duration{}}
	for i, o := range all {
		steps := map[string]time.Duration{}
		for _, s := range o.Graph.Steps() {
			key := o.Graph.Key(s.ID)
			steps[key] = times[key]
		}
		name := o.Name
		for d := range maps.Values(steps) {
			m.Work[name] += d
		}
		byName[name] = o
		items[i] = divide.Item{Name: name, Arch: o.Arch, Steps: steps}
	}
	for _, j := range divide.Into(items, n) {
		job := MatrixJob{Job: j}
		count, at := map[string]int{}, map[string]int{}
		for _, name := range j.Items {
			g := byName[name].Graph
			for _, s := range g.Steps() {
				key := g.Key(s.ID)
				if count[key]++; count[key] == 2 {
					at[key] = len(job.Shared)
					job.Shared = append(job.Shared, SharedStep{Step: s.ID, Title: s.Title, Time: times[key]})
				}
			}
		}
		for key, i := range at {
			job.Shared[i].Flavours = count[key]
		}
		job.Steps = len(count)
		m.Jobs = append(m.Jobs, job)
	}
	return m
}

// Shard returns the flavours of the i-th of n jobs, counted from 1; none if there are fewer.
func Shard(all []*Outline, t Times, i, n int) []string {
	jobs := Divide(all, t, n).Jobs
	if i > len(jobs) {
		return nil
	}
	return slices.Clone(jobs[i-1].Items)
}
