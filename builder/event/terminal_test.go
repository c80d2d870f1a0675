package event

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// screen is as much of a terminal as NewTerminal uses: it wraps, scrolls, and
// knows the few sequences that are sent to it.
type screen struct {
	mu            sync.Mutex
	t             *testing.T
	columns, rows int
	cells         [][]rune // scrolled-off rows first
	top           int      // the first row of the window in cells
	x, y          int      // y counts from top
	noWrap        bool
	hidden        bool
	writes        int
	colours       int
}

func newScreen(t *testing.T, columns, rows int) *screen {
	return &screen{t: t, columns: columns, rows: rows, cells: make([][]rune, rows)}
}

func (s *screen) size() (int, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.columns, s.rows
}

// state reports whether the cursor is hidden, whether lines wrap, and how often
// the screen was written to.
func (s *screen) state() (hidden, noWrap bool, writes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hidden, s.noWrap, s.writes
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	for text := string(p); text != ""; {
		if rest, ok := strings.CutPrefix(text, "\x1b["); ok {
			end := strings.IndexFunc(rest, func(r rune) bool { return r >= '@' && r <= '~' })
			s.control(rest[:end], rest[end])
			text = rest[end+1:]
			continue
		}
		r := []rune(text)[0]
		text = text[len(string(r)):]
		switch {
		case r == '\r':
			s.x = 0
		case r == '\n': // as a tty with ONLCR passes it on
			s.x = 0
			s.down()
		case r < ' ' || r == 0x7f:
			s.t.Errorf("control character %q was sent", r)
		default:
			s.put(r)
		}
	}
	return len(p), nil
}

func (s *screen) row() *[]rune { return &s.cells[s.top+s.y] }

func (s *screen) down() {
	if s.y++; s.y == s.rows {
		s.y--
		s.top++
		s.cells = append(s.cells, nil)
	}
}

func (s *screen) put(r rune) {
	w := runeWidth(r)
	if s.x+w > s.columns {
		if s.noWrap {
			s.x = s.columns - w
		} else {
			s.x = 0
			s.down()
		}
	}
	row := s.row()
	for len(*row) < s.x+w {
		*row = append(*row, ' ')
	}
	for i := range w {
		(*row)[s.x+i] = 0
	}
	if w > 0 {
		(*row)[s.x] = r
	}
	s.x += w
}

func (s *screen) control(args string, final byte) {
	switch string(final) {
	case "A":
		n, err := strconv.Atoi(args)
		if err != nil || n == 0 {
			s.t.Errorf("cursor up by %q", args)
		}
		s.y = max(0, s.y-n)
	case "K":
		*s.row() = (*s.row())[:min(len(*s.row()), s.x)]
	case "J":
		*s.row() = (*s.row())[:min(len(*s.row()), s.x)]
		for i := s.y + 1; i < s.rows; i++ {
			s.cells[s.top+i] = nil
		}
	case "m":
		s.colours++
	case "h", "l":
		switch args {
		case "?25":
			s.hidden = final == 'l'
		case "?7":
			s.noWrap = final == 'l'
		default:
			s.t.Errorf("unknown mode %q", args)
		}
	default:
		s.t.Errorf("unknown sequence %q", args+string(final))
	}
}

// resize makes the window another width, wrapping lines as most terminals do.
func (s *screen) resize(columns int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var cells [][]rune
	for _, row := range s.cells[:s.top+s.y] {
		for len(row) > columns {
			cells = append(cells, row[:columns:columns])
			row = row[columns:]
		}
		cells = append(cells, row)
	}
	s.columns, s.x = columns, 0
	s.top = max(0, len(cells)+1-s.rows)
	s.y = len(cells) - s.top
	s.cells = cells
	for len(s.cells) < s.top+s.rows {
		s.cells = append(s.cells, nil)
	}
}

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for _, row := range s.cells {
		b.WriteString(strings.TrimRight(strings.ReplaceAll(string(row), "\x00", ""), " ") + "\n")
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

func (s *screen) expect(want string) {
	s.t.Helper()
	if got := s.text(); got != want {
		s.t.Errorf("the screen shows:\n%s\nwant:\n%s", got, want)
	}
}

// wait lets the clock of the bubble run and the view be drawn.
func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScreen(t, 50, 10)
		sink := NewTerminal(s, s.size, Options{NoColor: true})
		time.Sleep(time.Millisecond) // so that the drawings come just before the waits end
		wait(time.Second)
		s.expect("\n")
		sink.Emit(Event{Kind: BuildStarted, Flavour: "x", Total: 3, Cached: 1})
		sink.Emit(Event{Kind: StepStarted, Step: "rootfs/install", Title: "installing"})
		sink.Emit(Event{Kind: StepStarted, Step: "packages/fetch", Title: "fetching"})
		sink.Emit(Event{Kind: StepCached, Step: "tools/all", Title: "tools"})
		sink.Emit(Event{Kind: StepOutput, Step: "rootfs/install", Line: "\x1b[32mSetting\x1b[0m up 日本語-package and much more"})
		sink.Emit(Event{Kind: StepOutput, Step: "rootfs/install", Line: "\x1b[0m"})
		sink.Emit(Event{Kind: StepProgress, Step: "packages/fetch", Done: 1_000_000, Total: 9_000_000})
		wait(2 * time.Second)
		if hidden, _, _ := s.state(); !hidden {
			t.Error("the cursor is shown")
		}
		s.expect(`0/3 done, 2.0s, 1 cached  x
    2.0s  rootfs/install  | Setting up 日本語-pa…
    2.0s  packages/fetch  [>         ] 11%
`)
		sink.Emit(Event{Kind: StepFinished, Step: "packages/fetch", Duration: 2 * time.Second})
		sink.Emit(Event{Kind: Note, Line: "a note that is longer than the screen is wide, and wraps"})
		sink.Emit(Event{Kind: Waiting, Line: "the moon"})
		wait(time.Second)
		s.expect(`    2.0s  packages/fetch  fetching
note: a note that is longer than the screen is wid
e, and wraps
1/3 done, 3.0s, 1 cached  x
waiting for the moon
    3.0s  rootfs/install  | Setting up 日本語-pa…
`)
		sink.Emit(Event{Kind: StepFailed, Step: "rootfs/install", Duration: 3 * time.Second, Error: "exit status 1", Log: "log"})
		sink.Emit(Event{Kind: BuildFailed, Flavour: "x", Duration: 3 * time.Second, Error: "exit status 1"})
		if err := sink.Close(); err != nil {
			t.Fatal(err)
		}
		sink.Emit(Event{Kind: Note, Line: "too late"})
		if err := sink.Close(); err != nil {
			t.Fatal(err)
		}
		s.expect(`    2.0s  packages/fetch  fetching
note: a note that is longer than the screen is wid
e, and wraps
  failed  rootfs/install  installing  after 3.0s
       |  Setting up 日本語-package and much more
x: failed after 3.0s
`)
		if hidden, noWrap, _ := s.state(); hidden || noWrap {
			t.Error("the terminal is not as it was")
		}
		if s.colours > 0 {
			t.Error("there were colours")
		}
	})
}

func TestTerminalRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScreen(t, 80, 10)
		sink := NewTerminal(s, s.size, Options{})
		defer sink.Close()
		time.Sleep(time.Millisecond)
		sink.Emit(Event{Kind: StepStarted, Step: "f"})
		for i := range 1000 {
			sink.Emit(Event{Kind: StepProgress, Step: "f", Done: int64(i) * 20_000})
			time.Sleep(10 * time.Millisecond)
		}
		synctest.Wait()
		s.expect("   10.0s  f  20.0 MB, 2.0 MB/s\n")
		if _, _, writes := s.state(); writes > 101 {
			t.Errorf("%d drawings in 10 s", writes)
		}
		wait(30 * time.Second)
		s.expect("   40.0s  f  20.0 MB\n") // it stalls
	})
}

func TestTerminalFewRows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScreen(t, 30, 4)
		sink := NewTerminal(s, s.size, Options{})
		time.Sleep(time.Millisecond)
		for i := range 9 {
			sink.Emit(Event{Kind: StepStarted, Step: fmt.Sprintf("s/%d", i)})
		}
		wait(time.Second)
		s.expect("    1.0s  s/0\n    1.0s  s/1\n     ...  and 7 more\n")
		wait(time.Second)
		s.expect("    2.0s  s/0\n    2.0s  s/1\n     ...  and 7 more\n")
		for i := range 9 {
			sink.Emit(Event{Kind: StepFinished, Step: fmt.Sprintf("s/%d", i)})
		}
		sink.Close()
		var want strings.Builder
		for i := range 9 {
			fmt.Fprintf(&want, "    0.0s  s/%d\n", i)
		}
		s.expect(want.String())
	})
}

// TestTerminalResize makes the window narrower and wider while the view is
// drawn: each time only one view is on the screen.
func TestTerminalResize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScreen(t, 60, 12)
		sink := NewTerminal(s, s.size, Options{NoColor: true})
		time.Sleep(time.Millisecond)
		sink.Emit(Event{Kind: Note, Line: "above"})
		sink.Emit(Event{Kind: BuildStarted, Flavour: "a-flavour-with-a-long-name", Total: 3})
		sink.Emit(Event{Kind: StepStarted, Step: "rootfs/install", Title: "installing very many packages"})
		wait(time.Second)
		for i, columns := range []int{25, 12, 7, 60, 30, 45} {
			s.resize(columns)
			wait(time.Second)
			n := strings.Count(strings.ReplaceAll(s.text(), "\n", ""), "0/3 done")
			if n != 1 && columns > 10 {
				t.Errorf("%d columns: %d views on the screen:\n%s", columns, n, s.text())
			}
			if i == 0 {
				s.expect("note: above\n0/3 done, 2.0s, 0 cache…\n    2.0s  rootfs/instal…\n")
			}
		}
		sink.Close()
		if got := strings.ReplaceAll(s.text(), "\n", ""); !strings.HasPrefix(got, "note: above") || strings.Contains(got, "done") {
			t.Errorf("after Close the screen shows:\n%s", s.text())
		}
	})
}

func TestTerminalTinySizes(t *testing.T) {
	for columns := range 4 {
		for rows := range 4 {
			synctest.Test(t, func(t *testing.T) {
				s := newScreen(t, max(columns, 1), max(rows, 1))
				sink := NewTerminal(s, func() (int, int) { return columns, rows }, Options{})
				for _, e := range story() {
					e.Time = time.Time{}
					sink.Emit(e)
					time.Sleep(50 * time.Millisecond)
				}
				if err := sink.Close(); err != nil {
					t.Fatal(err)
				}
				if hidden, noWrap, _ := s.state(); hidden || noWrap {
					t.Error("the terminal is not as it was")
				}
			})
		}
	}
}

func TestTerminalVerboseAndColours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScreen(t, 60, 12)
		sink := NewTerminal(s, s.size, Options{Verbose: true})
		sink.Emit(Event{Kind: StepCached, Step: "a/b", Title: "c"})
		sink.Emit(Event{Kind: StepStarted, Step: "d/e"})
		sink.Emit(Event{Kind: StepOutput, Step: "d/e", Line: "\x1b[?1049hout"})
		sink.Emit(Event{Kind: Warning, Line: "careful"})
		sink.Emit(Event{Kind: StepWarning, Step: "a/b", Line: "odd \x1b[2J\rfile"})
		sink.Close()
		s.expect("  cached  a/b  c\nd/e: out\nwarning: careful\nwarning: a/b: file\n")
		if s.colours != 8 {
			t.Errorf("%d changes of colour", s.colours)
		}
	})
}
