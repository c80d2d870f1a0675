package sandbox

import (
	"fmt"
	"os"
)

// Ahead is by how many hours [MoveClock] moves the clock: another year, another month, another
// hour of the day.
const Ahead = 400*24 + 5

// clockVariable passes the library of [MoveClock] on to a [Child].
const clockVariable = "MOVED_CLOCK"

// clock is the library of [MoveClock]; "" if the clock is the machine's.
var clock string

// clockPlace is where the programs of a root find the library: in the /dev that
// [PrepareRoot] mounts, so that no layer has it.
const clockPlace = "dev/clock.so"

// MoveClock lets the programs that this process and each [Child] start in a [Command.Root] see
// a clock that is [Ahead]. Linux has no namespace for the time of day, so it is done by
// libfaketime, whose file library is, of the architecture of the root; programs that are linked
// statically still see the machine's clock. Times of files and clocks that measure how long something
// takes stay as they are.
func MoveClock(library string) { clock = library }

// takeClock moves the clock in a child as its parent has it. The parent chose the child's whole environment.
func takeClock() { clock = os.Getenv(clockVariable) }

// clockEnv is what programs in a root need in their environment for [MoveClock], see
// libfaketime's README.
func clockEnv() []string {
	if clock == "" {
		return nil
	}
	return []string{"LD_PRELOAD=/" + clockPlace, fmt.Sprintf("FAKETIME=+%dh", Ahead), "NO_FAKE_STAT=1", "FAKE_UTIME=0", "FAKETIME_DONT_FAKE_MONOTONIC=1"}
}
