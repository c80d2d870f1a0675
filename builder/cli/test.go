package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/treefs"
	"github.com/treewright/treewright/builder/vm"
)

var testVerb = &verb{
	name: "test", args: "FLAVOUR|CNAME", summary: "boot a flavour's image in a virtual machine and test it there",
	details: `Brings the flavour up to date, boots its image in QEMU and runs, inside, the
tests that its features bring: the executables in their directories test/, as root,
with the features' parameters in the environment. Extensions are downloaded,
merged and tested likewise. The image is not changed for it, and the machine
sees no network but the server for what was built.

With --upgrade, the machine is then upgraded to a commit that follows the
image's, with the power cut in the middle, and rolled back. That commit is kept
apart from the flavour's own history.

The image of a cname is none of Treewright's own making. It has passed when
somebody can log in on its serial console, ttyS0: by a prompt, or automatically.
If its systemd is 256 or newer, the test also asks inside whether a unit failed
and whether the root file system grew. The directories test/ of Garden Linux's
features are for another program and are not run.`,
	complete: "flavours", flags: trying.flags, run: trying.run,
}

// trying has the options of test.
var trying testOptions

type testOptions struct {
	machineOptions
	upgrade     bool
	junit, logs string
}

func (o *testOptions) flags(f *pflag.FlagSet, common *options) {
	f.BoolVar(&o.upgrade, "upgrade", false, "upgrade the machine, cut its power, and roll back, too")
	f.StringVar(&o.junit, "junit", "", "write the results to this file, as JUnit XML")
	f.StringVar(&o.logs, "logs", "", "the directory for the console's log and the journals of failed units (default: .build/.private/FLAVOUR/test)")
	o.machineOptions.flags(f, common)
}

// testBench is what a test of one flavour works with.
type testBench struct {
	*build.Made
	layers []string // of QEMU's tree
	root   string   // the configuration tree
	dir    string   // .build/.private/FLAVOUR/test
	// next, broken and mended are the steps that made commits to upgrade to, one
	// after the other; nil without --upgrade.
	next, broken, mended *build.Commit
}

func (o *testOptions) run(ctx context.Context, c *command) (err error) {
	if len(c.args) != 1 {
		return usagef("test wants one flavour")
	}
	s, err := c.subject(ctx, c.args[0])
	if err != nil {
		return err
	}
	name := s.Flavour()
	if o.upgrade && !s.Recipe.Follows {
		return usagef("--upgrade is for flavours that make commits: the image of the cname %q follows no repository", s.Name)
	}
	if err := o.check(); err != nil {
		return err
	}
	b, err := c.testBench(ctx, s, o.upgrade)
	if err != nil {
		return err
	}
	logs := b.dir
	if o.logs != "" {
		if logs, err = filepath.Abs(o.logs); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(logs, 0o755); err != nil {
		return err
	}
	unlock, err := layer.LockFile(ctx, filepath.Join(b.dir, ".lock"), func() {
		fmt.Fprintf(c.Err, "treewright: another test of %s is running; this one goes on when it ends\n", name)
	})
	if err != nil {
		return err
	}
	defer unlock()
	report := &vm.Report{Suite: name, Out: c.Out}
	scenario, err := c.scenario(ctx, b, report, logs)
	if err != nil {
		return err
	}
	scenario.Session.Machine.MemoryMiB, scenario.Session.Machine.CPUs = o.memory, o.cpus
	fmt.Fprintf(c.Out, "\ntesting %s; the console goes to %s\n", name, build.Shown(filepath.Join(logs, vm.SerialLog)))
	start := time.Now()
	if s.Recipe.Follows {
		err = scenario.Run(ctx)
	} else {
		err = scenario.RunLogin(ctx)
	}
	// What was found out is told, also when Ctrl-C ended it.
	err = errors.Join(err, o.finish(c, report, time.Since(start)))
	return errors.Join(err, removeMachine(b.dir))
}

// testBench builds all that a test needs.
func (c *command) testBench(ctx context.Context, s *build.Subject, upgrade bool) (b *testBench, err error) {
	sink, err := c.sink()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, sink.Close()) }()
	start := time.Now()
	b = &testBench{root: c.options.dir, dir: filepath.Join(c.builder.Output(s).Private, "test")}
	if b.Made, err = c.builder.Publish(ctx, s, sink); err != nil {
		return nil, err
	}
	if upgrade {
		if err := c.buildNext(ctx, b, sink); err != nil {
			return nil, err
		}
	}
	if b.layers, err = c.vmLayers(ctx, s, sink); err != nil {
		return nil, err
	}
	sink.Emit(event.Event{Time: time.Now(), Kind: event.BuildFinished, Flavour: s.Flavour(), Duration: time.Since(start)})
	return b, nil
}

// repository returns the name of the flavour's repository.
func (b *testBench) repository() string { return repositoryOf(b.Manifest) }

// buildNext makes three commits that follow the image's.
func (c *command) buildNext(ctx context.Context, b *testBench, sink event.Sink) error {
	if b.repository() == "" {
		return usagef("flavour %q makes no commits, so there is nothing to upgrade", b.Subject.Spec.Flavour.Name)
	}
	first := &build.Commit{Commit: b.Manifest.Commit, Repo: filepath.Join(b.Output.Public, b.repository())}
	var err error
	if b.next, err = c.succeed(ctx, b, first, "upgrade-test", vm.WriteSuccessor, sink); err != nil {
		return err
	}
	if b.broken, err = c.succeed(ctx, b, b.next, "broken-test", vm.WriteBroken, sink); err != nil {
		return err
	}
	b.mended, err = c.succeed(ctx, b, b.broken, "mended-test", vm.WriteMended, sink)
	return err
}

// succeed makes a commit that follows another, with the files that write writes.
func (c *command) succeed(ctx context.Context, b *testBench, parent *build.Commit, name string, write func(dir string) error, sink event.Sink) (*build.Commit, error) {
	files := filepath.Join(b.dir, name)
	if err := write(files); err != nil {
		return nil, err
	}
	made, err := c.builder.Successor(ctx, b.Prepared, *parent, name, files, sink)
	return &made, err
}

// scenario makes the machine's disks and what is served to it, and puts the
// scenario together.
func (c *command) scenario(ctx context.Context, b *testBench, report *vm.Report, logs string) (*vm.Scenario, error) {
	scenario := &vm.Scenario{Report: report, Flavour: b.Subject.Spec.Flavour.Name, Logs: logs}
	var served, listen string
	var all []vm.Tests
	var err error
	if b.Subject.Recipe.Follows {
		if served, err = b.stageServed(); err != nil {
			return nil, err
		}
		if listen, scenario.Base, err = b.address(); err != nil {
			return nil, err
		}
		scenario.Follow = remoteOf(b.Subject.Spec, scenario.Base, b.repository())
		if all, err = b.findTests(scenario); err != nil {
			return nil, err
		}
	}
	if scenario.Session, err = c.session(ctx, b, report, logs); err != nil {
		return nil, err
	}
	scenario.Session.Job.Serve, scenario.Session.Job.ServeOn = served, listen
	if err := scenario.Session.WritePayload(all); err != nil {
		return nil, err
	}
	if b.next != nil {
		scenario.Upgrade = b.upgrade(ctx, filepath.Join(served, scenario.Flavour, b.repository()))
	}
	return scenario, nil
}

// session makes the machine's disks and an empty console log.
func (c *command) session(ctx context.Context, b *testBench, report *vm.Report, logs string) (*vm.Session, error) {
	image, err := c.builder.Image(b.Subject, b.Manifest)
	if err != nil {
		return nil, err
	}
	if err := removeMachine(b.dir); err != nil {
		return nil, err
	}
	for _, old := range []string{vm.SerialLog, vm.FailedUnitsLog} {
		if err := os.RemoveAll(filepath.Join(logs, old)); err != nil {
			return nil, err
		}
	}
	serial, err := os.Create(filepath.Join(logs, vm.SerialLog))
	if err != nil {
		return nil, err
	}
	serial.Close()
	s := &vm.Session{
		Job: vm.Job{
			Tools: b.layers, Dir: filepath.Join(b.dir, machineDir), KVM: c.useKVM(),
			Files: map[string]string{"/image.raw": image}, Shares: map[string]string{"/serial.log": serial.Name()},
		},
		Machine: vm.Machine{Disk: vm.SharedDir + "/disk.qcow2", Firmware: vm.SharedDir + "/vars.fd", SerialLog: "/serial.log"},
		Waiting: func(what string, since, limit time.Duration) {
			report.Note("waiting for %s, %s so far, %s at the most", what, since.Round(time.Second), limit)
		},
	}
	s.Machine.KVM = s.Job.KVM
	if s.Machine.BIOS, err = c.needsBIOS(image); err != nil {
		return nil, err
	}
	return s, newDisk(ctx, s.Job, s.Machine, image, "/image.raw")
}

// upgrade describes the upgrades, by way of the repository that is served.
func (b *testBench) upgrade(ctx context.Context, served string) *vm.Upgrade {
	u := &vm.Upgrade{From: b.Manifest.Commit, To: b.next.Commit, Broken: b.broken.Commit, Mended: b.mended.Commit, Publish: func(commit string) error {
		for _, made := range []*build.Commit{b.next, b.broken, b.mended} {
			if made.Commit == commit {
				return ostree.Publish(ctx, made.Repo, served, ostree.RecordPath(b.dir, served))
			}
		}
		return fmt.Errorf("no commit %s was made", commit)
	}}
	if f := b.Subject.Spec.StageFeature("image"); f != nil {
		u.Tries, _ = b.Subject.Spec.Parameters[f.Name]["boot_tries"].Any.(int64)
	}
	return u
}

// machineDir is the directory of the machine's files, below the test's.
const machineDir = "machine"

func removeMachine(dir string) error { return os.RemoveAll(filepath.Join(dir, machineDir)) }

// stageServed makes a copy of what the flavour publishes, by hard links, to
// which commits can be added, and returns its place.
func (b *testBench) stageServed() (string, error) {
	served := filepath.Join(b.dir, "served")
	if err := os.RemoveAll(served); err != nil {
		return "", err
	}
	to := publish.OutputOf(served, b.Subject.Spec.Flavour.Name)
	if err := to.Make(); err != nil {
		return "", err
	}
	for _, a := range b.Manifest.Artifacts {
		link := treefs.LinkOrCopy
		if a.Kind != plan.FileArtifact {
			link = treefs.LinkTree
		}
		if err := link(filepath.Join(b.Output.Public, a.Name), filepath.Join(to.Public, a.Name)); err != nil {
			return "", fmt.Errorf("stage what is served: %w", err)
		}
	}
	return served, treefs.LinkOrCopy(b.Output.Manifest(), to.Manifest())
}

// findTests puts the features' tests into the scenario and returns them all.
func (b *testBench) findTests(s *vm.Scenario) ([]vm.Tests, error) {
	find := func(f *config.Feature) (vm.Tests, error) {
		return vm.FindTests(f.Name, filepath.Join(b.root, filepath.FromSlash(f.Dir)), b.Subject.Spec.Environment(f.Name))
	}
	var all []vm.Tests
	s.Listens = b.Subject.Spec.Listens
	for _, f := range b.Subject.Spec.Features {
		t, err := find(f)
		if err != nil {
			return nil, err
		}
		s.System = append(s.System, t)
	}
	all = append(all, s.System...)
	for _, e := range b.Subject.Spec.Extensions {
		ext := vm.Extension{Name: e.Name, Listens: e.Listens}
		for _, f := range e.Features {
			t, err := find(f)
			if err != nil {
				return nil, err
			}
			ext.Tests = append(ext.Tests, t)
		}
		all = append(all, ext.Tests...)
		s.Extensions = append(s.Extensions, ext)
	}
	return all, nil
}

// finish says how it went, and writes the JUnit file.
func (o *testOptions) finish(c *command, r *vm.Report, took time.Duration) error {
	if o.junit != "" {
		if err := writeJUnit(r, o.junit); err != nil {
			return err
		}
	}
	failed := r.Count(vm.Failed)
	fmt.Fprintf(c.Out, "\n%s: %d passed, %d failed, %d skipped, in %s\n", r.Suite, r.Count(vm.Passed), failed, r.Count(vm.Skipped), event.FormatDuration(took))
	if failed > 0 {
		return fmt.Errorf("%d of the tests of %s failed", failed, r.Suite)
	}
	return nil
}

func writeJUnit(r *vm.Report, path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := r.WriteJUnit(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// address returns where to serve so that the machine's own remote leads there,
// and the URL by which the machine sees it.
func (b *testBench) address() (listen, base string, err error) {
	port := defaultPort
	if b.next != nil {
		f := b.Subject.Spec.StageFeature("commit")
		remote := b.Subject.Spec.Parameters[f.Name]["remote_url"].String()
		u, err := url.Parse(remote)
		if remote != "" && (err != nil || u.Scheme != "http" || u.Hostname() != guestHost) {
			return "", "", usagef("to test an upgrade, the machine must follow what this one serves: leave remote_url of %s unset, or set it to http://%s:%s/%s, not %q, in a flavour that extends this one if need be",
				f.Name, guestHost, defaultPort, b.repository(), remote)
		}
		if remote != "" && u.Port() != "" {
			port = u.Port()
		}
	}
	return "127.0.0.1:" + port, "http://" + guestHost + ":" + port, nil
}
