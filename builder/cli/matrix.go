package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/divide"
)

var matrixVerb = &verb{
	name: "matrix", args: "[FLAVOUR|PATTERN]...", summary: "divide flavours into jobs for the machines of a CI system",
	example: "./build matrix 'debian-*' --jobs 4\n./build matrix --changed-since origin/main --format github",
	details: `Divides the flavours into jobs whose work is about the same. Flavours with the
same steps are put together, because a job does the work of a step once; those of
different architectures are in different jobs, unless there are fewer jobs than
architectures. A pattern has *, ? and [...] as in a shell; without any, all
flavours are meant.

It works without root and without a network, and does not build. Packages of
flavours without a lock count by the names that are asked for. The times are those
of the last builds in the output, else those of the same step of another flavour,
else usual times; --times gives others. The number of jobs is chosen so that a
job has 20 minutes of work or more; there are ` + mostJobs + ` at most.

The formats are a table; github, for strategy.matrix by fromJSON; gitlab, jobs that
extend .flavours, for a child pipeline; and json, everything.`,
	complete: "flavours...", run: matrices.run, flags: matrices.flags,
}

var mostJobs = strconv.Itoa(divide.Most)

// matrices has the options of matrix.
var matrices matrixOptions

type matrixOptions struct {
	selection
	format  string
	jobs    int
	runners []string
}

func (o *matrixOptions) flags(f *pflag.FlagSet, _ *options) {
	o.jobs = 0
	choiceVar(f, &o.format, "format", "for people, a CI system, or programs", "text", "github", "gitlab", "json")
	f.VarP(amount{&o.jobs, 1, "a number of jobs"}, "jobs", "j", "how many jobs there are at most (default: chosen by the work)")
	f.StringArrayVar(&o.runners, "runner", nil, "the label of the machines of an architecture, `ARCH=LABEL`, or several labels with commas between them; may be repeated (default: those of GitHub or gitlab.com)")
	o.sinceFlag(f)
	o.timesFlag(f, "those of the last builds in the output, else usual times")
}

// hosted are the labels of the machines that the two systems offer.
var hosted = map[string]map[string]string{
	"github": {"amd64": "ubuntu-latest", "arm64": "ubuntu-24.04-arm"},
	"gitlab": {"amd64": "saas-linux-small-amd64", "arm64": "saas-linux-small-arm64"},
}

// labels are those of the machine for a job. Without one of its architecture it is built on
// another one, by an emulator.
func (o *matrixOptions) labels(arch string, own map[string]string) []string {
	const other = "amd64"
	known := hosted[o.format]
	return strings.Split(cmp.Or(own[arch], known[arch], own[other], known[other]), ",")
}

func (o *matrixOptions) run(ctx context.Context, c *command) error {
	runners, err := named("--runner", "ARCH=LABEL", o.runners)
	if err != nil {
		return err
	}
	for arch, label := range runners {
		if label == "" {
			return usagef("--runner takes ARCH=LABEL, not %q", arch+"=")
		}
	}
	project, err := c.loadAll(ctx)
	if err != nil {
		return err
	}
	all, err := c.choose(ctx, project, &o.selection, c.args, true)
	if err != nil {
		return err
	}
	if len(o.times) == 0 {
		all.times = c.builder.LastTimes(project)
	}
	m := build.Divide(all.outlines, all.times, o.jobs)
	if len(m.Jobs) == 0 {
		c.say(o.nothing())
	}
	jobs := namedJobs(m)
	for _, j := range jobs {
		if len(j.Archs) > 1 {
			c.say(fmt.Sprintf("job %s has flavours of %s, because there are more architectures than jobs: some of them are built by an emulator", j.name, strings.Join(j.Archs, " and ")))
		}
	}
	switch o.format {
	case "github":
		return o.github(c.Out, jobs, runners)
	case "gitlab":
		return o.gitlab(c.Out, jobs, runners)
	case "json":
		return writeJSON(c.Out, matrixJSON(all, m, jobs))
	}
	return matrixTable(c, jobs)
}

// namedJob is a job with its name.
type namedJob struct {
	build.MatrixJob
	name string
}

// namedJobs numbers the jobs of each architecture.
func namedJobs(m build.Matrix) []namedJob {
	count := map[string]int{}
	var jobs []namedJob
	for _, j := range m.Jobs {
		arch := strings.Join(j.Archs, "-")
		count[arch]++
		jobs = append(jobs, namedJob{j, fmt.Sprintf("%s-%d", arch, count[arch])})
	}
	return jobs
}

func matrixTable(c *command, jobs []namedJob) error {
	if len(jobs) == 0 {
		return nil
	}
	t := table{head: []string{"JOB", "WORK", "STEPS", "SHARED", "FLAVOURS"}, below: []string{"FLAVOURS"}}
	for _, j := range jobs {
		t.add(j.name, j.Work.Round(time.Second).String(), strconv.Itoa(j.Steps), strconv.Itoa(len(j.Shared)), strings.Join(j.Items, " "))
	}
	if err := t.write(c.Out, c.width()); err != nil {
		return err
	}
	_, err := fmt.Fprintf(c.Out, "\n%s; WORK is how long all steps take, one after the other, and SHARED how many of them several flavours have\n", diag.Counted(len(jobs), "job"))
	return err
}

// githubJob is an entry of the matrix of a workflow.
type githubJob struct {
	Name string `json:"name"`
	Arch string `json:"arch"`
	// Runner is a label, or a list of them.
	Runner   any    `json:"runner"`
	Flavours string `json:"flavours"`
}

// github writes a matrix in one line, as an output of a job has to be.
func (o *matrixOptions) github(out io.Writer, jobs []namedJob, runners map[string]string) error {
	list := []githubJob{}
	for _, j := range jobs {
		labels := o.labels(j.Archs[0], runners)
		var runner any = labels
		if len(labels) == 1 {
			runner = labels[0]
		}
		list = append(list, githubJob{j.name, j.Archs[0], runner, strings.Join(j.Items, " ")})
	}
	return json.NewEncoder(out).Encode(map[string]any{"include": list})
}

// gitlab writes the jobs of a child pipeline. The reader's .flavours has their commands. A
// pipeline without a job would be an error.
func (o *matrixOptions) gitlab(out io.Writer, jobs []namedJob, runners map[string]string) error {
	var b strings.Builder
	if len(jobs) == 0 {
		b.WriteString("nothing:\n  script:\n    - echo \"no flavour has to be built\"\n")
	}
	// What JSON has in quotes, YAML has, too.
	quoted := func(v any) string {
		text, _ := json.Marshal(v) // text, and lists of it
		return string(text)
	}
	for _, j := range jobs {
		fmt.Fprintf(&b, "%s:\n  extends: .flavours\n", quoted(j.name))
		fmt.Fprintf(&b, "  tags: %s\n", quoted(o.labels(j.Archs[0], runners)))
		fmt.Fprintf(&b, "  variables:\n    JOB: %s\n    ARCH: %s\n    FLAVOURS: %s\n", quoted(j.name), quoted(j.Archs[0]), quoted(strings.Join(j.Items, " ")))
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// jobJSON is a job for programs.
type jobJSON struct {
	Name          string       `json:"name"`
	Architectures []string     `json:"architectures"`
	Flavours      []string     `json:"flavours"`
	Seconds       float64      `json:"seconds"`
	Steps         int          `json:"steps"`
	Shared        []sharedJSON `json:"shared"`
}

type sharedJSON struct {
	Step     string  `json:"step"`
	Title    string  `json:"title"`
	Seconds  float64 `json:"seconds"`
	Flavours int     `json:"flavours"`
}

// dividedJSON is a flavour of a job.
type dividedJSON struct {
	Name    string  `json:"name"`
	Arch    string  `json:"arch"`
	Job     string  `json:"job"`
	Locked  bool    `json:"locked"`
	Seconds float64 `json:"seconds"`
	Steps   int     `json:"steps"`
	// Changed is the first difference to the revision that was asked for.
	Changed string `json:"changed,omitempty"`
	// Times are the times of steps that are known.
	Times map[string]float64 `json:"times"`
}

// dividedAll is the matrix for programs.
type dividedAll struct {
	Jobs     []jobJSON     `json:"jobs"`
	Flavours []dividedJSON `json:"flavours"`
	Removed  []string      `json:"removed,omitempty"`
}

func matrixJSON(all *chosen, m build.Matrix, jobs []namedJob) dividedAll {
	out := dividedAll{Jobs: []jobJSON{}, Flavours: []dividedJSON{}}
	jobOf := map[string]string{}
	for _, j := range jobs {
		one := jobJSON{j.name, j.Archs, j.Items, j.Work.Seconds(), j.Steps, []sharedJSON{}}
		for _, s := range j.Shared {
			one.Shared = append(one.Shared, sharedJSON{s.Step, s.Title, s.Time.Seconds(), s.Flavours})
		}
		for _, name := range j.Items {
			jobOf[name] = j.name
		}
		out.Jobs = append(out.Jobs, one)
	}
	for _, o := range all.outlines {
		one := dividedJSON{Name: o.Name, Arch: o.Arch, Job: jobOf[o.Name], Locked: o.Locked, Seconds: m.Work[o.Name].Seconds(), Steps: len(o.Graph.Steps()), Times: map[string]float64{}}
		for step, d := range all.times[o.Name] {
			one.Times[step] = d.Seconds()
		}
		if all.changes != nil {
			one.Changed = all.changes.Changed[o.Name]
		}
		out.Flavours = append(out.Flavours, one)
	}
	if all.changes != nil {
		out.Removed = all.changes.Removed
	}
	return out
}
