package event

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// onScreen runs a story on a screen of its own.
func onScreen(t *testing.T, columns, rows int, tell func(s *screen, sink Sink)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newScreen(t, columns, rows)
		sink := NewTerminal(s, s.size, Options{NoColor: true})
		time.Sleep(time.Millisecond) // so that the drawings come just before the waits end
		tell(s, sink)
		if err := sink.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestTerminalTellsWhatIsLeft: a step and what follows it are expected; the estimate
// counts down, waits when a step takes longer, and is left out when nothing is known.
func TestTerminalTellsWhatIsLeft(t *testing.T) {
	onScreen(t, 80, 10, func(s *screen, sink Sink) {
		sink.Emit(Event{Kind: BuildStarted, Flavour: "x", Total: 3, Expected: 100 * time.Second})
		sink.Emit(Event{Kind: StepStarted, Step: "a", Expected: 40 * time.Second, Left: 100 * time.Second})
		sink.Emit(Event{Kind: StepStarted, Step: "b", Expected: 10 * time.Second, Left: 30 * time.Second})
		wait(10 * time.Second)
		s.expect("0/3 done, about 1 min 30 s left, 10.0s, 0 cached  x\n   10.0s  a\n   10.0s  b\n")
		wait(90 * time.Second)
		s.expect("0/3 done, about 1 min left, 1m40s, 0 cached  x\n   1m40s  a\n   1m40s  b\n")
		sink.Emit(Event{Kind: StepFinished, Step: "a", Duration: 100 * time.Second})
		wait(time.Second)
		s.expect("   1m40s  a\n1/3 done, about 20 s left, 1m41s, 0 cached  x\n   1m41s  b\n")
		sink.Emit(Event{Kind: StepStarted, Step: "new"})
		wait(time.Second)
		s.expect("   1m40s  a\n1/3 done, 1m42s, 0 cached  x\n   1m42s  b\n    1.0s  new\n")
		sink.Emit(Event{Kind: StepFinished, Step: "new", Duration: time.Second})
		sink.Emit(Event{Kind: StepFinished, Step: "b", Duration: 103 * time.Second})
		sink.Emit(Event{Kind: StepStarted, Step: "last", Expected: 5 * time.Second, Left: 5 * time.Second})
		wait(10 * time.Second)
		if strings.Contains(s.text(), "left") {
			t.Errorf("the last step takes longer than it did, and still:\n%s", s.text())
		}
	})
}

// TestTerminalLeftOfDownload: how fast a download is tells more than the last build.
func TestTerminalLeftOfDownload(t *testing.T) {
	onScreen(t, 80, 10, func(s *screen, sink Sink) {
		sink.Emit(Event{Kind: BuildStarted, Flavour: "x", Total: 3})
		sink.Emit(Event{Kind: StepStarted, Step: "f", Expected: time.Second, Left: 11 * time.Second})
		for i := range 101 {
			sink.Emit(Event{Kind: StepProgress, Step: "f", Done: int64(i) * 100_000, Total: 30_000_000})
			time.Sleep(100 * time.Millisecond)
		}
		wait(0)
		s.expect("0/3 done, about 30 s left, 10.1s, 0 cached  x\n   10.1s  f  [=====>              ] 10.0 MB of 30.0 MB, 980.6 kB/s\n")
	})
}

// TestTerminalWidths: at each width the name of a step and how far it is are both to be
// seen, and no line is wider than the screen.
func TestTerminalWidths(t *testing.T) {
	const long = "rootfs/exec.config/a-feature-with-a-name-that-is-longer-than-any-screen-should-have-to-show-in-one-line"
	for columns, want := range map[int]string{
		100: `0/9 done, 1.0s, 0 cached  日本語
    1.0s  packages/fetch  fetch 165 packages  [=========>          ] 50.0 MB of 100.0 MB, 50.1 MB/s
    1.0s  commit/commit  commit the tree  [==============>     ] 30 of 40 files
    1.0s  rootfs/exec.config/a-feature-with-a-name-that-is-longer-than-any-screen-should-have-to-s…
    1.0s  日本語/手順  とても長い説明のある手順  | 出力出力出力出力出力出力出力出力出力出力出力出…
    1.0s  tools/all  install 300 packages for the tools  | Setting up a-package (1.2-3) ...
`,
		80: `0/9 done, 1.0s, 0 cached  日本語
    1.0s  packages/fetch  [=========>          ] 50.0 MB of 100.0 MB, 50.1 MB/s
    1.0s  commit/commit  commit the tree  [==============>     ] 30 of 40 files
    1.0s  rootfs/exec.config/a-feature-with-a-name-that-is-longer-than-any-scr…
    1.0s  日本語/手順  とても長い説明のある手順  | 出力出力出力出力出力出力出…
    1.0s  tools/all  install 300 packages for the tools  | Setting up a-packag…
`,
		40: `0/9 done, 1.0s, 0 cached  日本語
    1.0s  packages/fetch  50%
    1.0s  commit/commit  75%
    1.0s  rootfs/exec.config/a-feature…
    1.0s  日本語/手順  | 出力出力出力…
    1.0s  tools/all  | Setting up a-pa…
`,
		20: `0/9 done, 1.0s, 0 …
    1.0s  pac…  50%
    1.0s  com…  75%
    1.0s  rootfs/e…
    1.0s  日本語/…
    1.0s  tools/al…
`,
	} {
		onScreen(t, columns, 12, func(s *screen, sink Sink) {
			sink.Emit(Event{Kind: BuildStarted, Flavour: "日本語", Total: 9})
			sink.Emit(Event{Kind: StepStarted, Step: "packages/fetch", Title: "fetch 165 packages"})
			sink.Emit(Event{Kind: StepStarted, Step: "commit/commit", Title: "commit the tree"})
			sink.Emit(Event{Kind: StepStarted, Step: long, Title: "run exec.config"})
			sink.Emit(Event{Kind: StepStarted, Step: "日本語/手順", Title: "とても長い説明のある手順"})
			sink.Emit(Event{Kind: StepStarted, Step: "tools/all", Title: "install 300 packages for the tools"})
			sink.Emit(Event{Kind: StepOutput, Step: long, Line: "what it says"})
			sink.Emit(Event{Kind: StepOutput, Step: "日本語/手順", Line: strings.Repeat("出力", 30)})
			sink.Emit(Event{Kind: StepOutput, Step: "tools/all", Line: "Setting up a-package (1.2-3) ..."})
			sink.Emit(Event{Kind: StepProgress, Step: "packages/fetch", Done: 0, Total: 100_000_000})
			sink.Emit(Event{Kind: StepProgress, Step: "commit/commit", Done: 30, Total: 40, Unit: "files"})
			sink.Emit(Event{Kind: StepProgress, Step: "packages/fetch", Done: 50_000_000, Total: 100_000_000})
			wait(time.Second)
			s.expect(want)
		})
	}
}

// TestTerminalNothingToDo: what comes before the steps is shown while it runs; when
// there is nothing to do, nothing is left of it.
func TestTerminalNothingToDo(t *testing.T) {
	onScreen(t, 40, 10, func(s *screen, sink Sink) {
		sink.Emit(Event{Kind: PhaseStarted, Title: "resolve packages"})
		wait(time.Second)
		s.expect("    1.0s  resolve packages\n")
		sink.Emit(Event{Kind: PhaseFinished, Title: "resolve packages", Duration: time.Second})
		sink.Emit(Event{Kind: BuildStarted, Flavour: "x", Cached: 1})
		sink.Emit(Event{Kind: StepCached, Step: "a"})
		wait(time.Second)
		s.expect("\n")
		sink.Emit(Event{Kind: BuildFinished, Flavour: "x", Duration: time.Second})
		if err := sink.Close(); err != nil {
			t.Error(err)
		}
		s.expect("\n")
	})
	onScreen(t, 40, 10, func(s *screen, sink Sink) {
		sink.Emit(Event{Kind: PhaseStarted, Title: "resolve packages"})
		sink.Emit(Event{Kind: PhaseFinished, Title: "resolve packages", Duration: time.Second})
		sink.Emit(Event{Kind: BuildStarted, Flavour: "x", Total: 1})
		wait(time.Second)
		s.expect("    1.0s  resolve packages\n0/1 done, 1.0s, 0 cached  x\n")
	})
}

// TestPlainNothingToDo: the same in a log, where a long wait is mentioned.
func TestPlainNothingToDo(t *testing.T) {
	for last, want := range map[time.Duration]string{
		time.Second:     "",
		6 * time.Second: "#1 resolve packages\n#1 done in 6.0s\n",
	} {
		synctest.Test(t, func(t *testing.T) {
			var out bytes.Buffer
			p := NewPlain(&out, Options{})
			p.Emit(Event{Kind: PhaseStarted, Title: "resolve packages"})
			wait(last)
			p.Emit(Event{Kind: PhaseFinished, Title: "resolve packages", Duration: last})
			p.Emit(Event{Kind: BuildStarted, Flavour: "x", Cached: 1})
			p.Emit(Event{Kind: StepCached, Step: "a"})
			p.Emit(Event{Kind: BuildFinished, Flavour: "x"})
			wait(time.Minute)
			if err := p.Close(); err != nil {
				t.Error(err)
			}
			if out.String() != want {
				t.Errorf("after %s:\n%s", last, out.String())
			}
		})
	}
}

// TestPlainCounts: cached steps are a number, except for one that was to run.
func TestPlainCounts(t *testing.T) {
	var out bytes.Buffer
	p := NewPlain(&out, Options{})
	p.Emit(at(0, Event{Kind: BuildStarted, Flavour: "x", Total: 2, Cached: 1, Expected: 90 * time.Second}))
	p.Emit(at(0, Event{Kind: StepCached, Step: "cached"}))
	p.Emit(at(0, Event{Kind: StepCached, Step: "made/meanwhile"}))
	p.Emit(at(0, Event{Kind: StepStarted, Step: "commit/commit", Title: "commit"}))
	p.Emit(at(1, Event{Kind: StepProgress, Step: "commit/commit", Done: 10, Total: 30, Unit: "files hashed"}))
	p.Emit(at(6, Event{Kind: StepProgress, Step: "commit/commit", Done: 20, Total: 30, Unit: "files hashed"}))
	p.Emit(at(12, Event{Kind: StepProgress, Step: "commit/commit", Done: 1, Total: 9, Unit: "files compressed"}))
	want := `building x: 2 steps to run, 1 cached, about 1 min 30 s
#1 made/meanwhile cached
#2 commit/commit  commit
#2 20 of 30 files hashed
#2 1 of 9 files compressed
`
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
}

// TestSeveralPlans: a test runs several plans of one flavour before it is over.
func TestSeveralPlans(t *testing.T) {
	var k tracker
	k.see(Event{Kind: BuildStarted, Flavour: "x", Total: 2})
	k.see(Event{Kind: BuildStarted, Flavour: "x", Total: 1})
	if len(k.flavours) != 1 || k.total != 3 {
		t.Errorf("%d steps of %v", k.total, k.flavours)
	}
	k.see(Event{Kind: BuildFinished, Flavour: "x"})
	if len(k.flavours) != 0 {
		t.Errorf("%v did not end", k.flavours)
	}
}

func TestAbout(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "a few seconds", 2 * time.Second: "a few seconds", 3 * time.Second: "about 5 s", 22 * time.Second: "about 20 s", 57 * time.Second: "about 55 s",
		58 * time.Second: "about 1 min", 94 * time.Second: "about 1 min 30 s", 115 * time.Second: "about 2 min", 4*time.Minute + 50*time.Second: "about 4 min 50 s",
		4*time.Minute + 56*time.Second: "about 5 min", 59*time.Minute + 40*time.Second: "about 1 h", 125 * time.Minute: "about 2 h 5 min",
	} {
		if got := About(d); got != want {
			t.Errorf("About(%s) = %q, want %q", d, got, want)
		}
	}
}

func TestBar(t *testing.T) {
	for done, want := range map[int64]string{-1: "[          ]", 0: "[          ]", 1: "[          ]", 10: "[>         ]", 55: "[====>     ]", 99: "[========> ]", 100: "[==========]", 101: "[==========]"} {
		if got := bar(done, 100, 10); got != want {
			t.Errorf("%d: %s, want %s", done, got, want)
		}
	}
}

func TestColoured(t *testing.T) {
	for name, want := range map[string]bool{"xterm-256color": true, "linux": true, "screen": true, "tmux": true, "vt220": true, "": false, "dumb": false, "unknown": false, "xterm-mono": false, "linux-m": false} {
		if got := coloured(name, ""); got != want {
			t.Errorf("%q has colours: %v", name, got)
		}
		if coloured(name, "1") {
			t.Errorf("%q has colours in spite of NO_COLOR", name)
		}
	}
}
