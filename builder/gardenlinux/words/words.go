package words

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/sandbox"
)

// Error is a line that the shell could not expand.
type Error struct {
	Line    int // index
	Message string
}

func (e *Error) Error() string { return fmt.Sprintf("line %d: %s", e.Line+1, e.Message) }

// expandScript lets a restricted bash, which can reach no program and write no
// file, say what each of its arguments from the second on comes to as words.
// The first is the architecture. Each answer has its line's number in front.
const expandScript = `
arch=$1
shift
n=0
PATH=
set -r
for line in "$@"; do
	printf '\0%d\0' "$n"
	eval "echo $line" </dev/null
	n=$((n + 1))
done
`

// expandTime is how long lines may take: a loop in one would never end.
const expandTime = 4 * time.Second

// shellMemory bounds what a line can make the shell take, in bytes.
const shellMemory = 400 << 20

// Expand expands lines of a package list as the Garden Linux builder
// (configure.chroot) does: a shell with $arch, with its quoting, braces and
// command substitution, but without file names, unset variables or programs.
// It returns the words of each line; a line of nothing but a comment has none.
// The error is a [*Error] if a line is at fault.
func Expand(ctx context.Context, arch string, lines []string) ([][]string, error) {
	if words, ok := allPlain(arch, lines); ok {
		return words, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, expandTime, fmt.Errorf("not done after %s", expandTime))
	defer cancel()
	argv := append([]string{"bash", "--norc", "--noprofile", "-euf", "-o", "pipefail", "-c", expandScript, "treewright", arch}, lines...)
	// "set -r" does not stop somebody who knows bash, so what holds is the sandbox:
	// the programs of this machine, and nothing else of it.
	view := &sandbox.View{Shown: sandbox.Programs, Memory: shellMemory}
	out, err := sandbox.Command{View: view, Argv: argv, Env: map[string]string{"LC_ALL": "C.UTF-8"}}.Output(ctx)
	parts := strings.Split(string(out), "\x00")
	if err != nil {
		var exit *sandbox.ExitError
		if !errors.As(err, &exit) && ctx.Err() == nil {
			return nil, fmt.Errorf("expand package lists: %w", err)
		}
		// The last number is that of the line that failed.
		last := 0
		if len(parts) > 1 {
			last, _ = strconv.Atoi(parts[len(parts)-2])
		}
		_, said, _ := strings.Cut(err.Error(), "\n")
		if said == "" {
			said = err.Error()
		}
		return nil, &Error{last, shellMessage(said)}
	}
	words := make([][]string, len(lines))
	for i := 1; i+1 < len(parts); i += 2 {
		n, err := strconv.Atoi(parts[i])
		if err != nil || n >= len(words) {
			return nil, fmt.Errorf("expand package lists: the answer of the shell cannot be read")
		}
		words[n] = strings.Fields(parts[i+1])
	}
	return words, nil
}

func allPlain(arch string, lines []string) ([][]string, bool) {
	words := make([][]string, len(lines))
	for i, line := range lines {
		var ok bool
		if words[i], ok = Plain(arch, line); !ok {
			return nil, false
		}
	}
	return words, true
}

// shellMessage is what bash says without the place, which means nothing in a file.
func shellMessage(said string) string {
	first, _, _ := strings.Cut(said, "\n")
	if _, message, ok := strings.Cut(first, "line "); ok {
		if _, rest, ok := strings.Cut(message, ": "); ok {
			return rest
		}
	}
	return first
}
