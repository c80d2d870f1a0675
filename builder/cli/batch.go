package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
)

// featureAnswer is one line that answers a query.
type featureAnswer struct {
	// CName, Arch and Version are null if nothing says the architecture or the
	// version: all the rest can be known without.
	CName     *string  `json:"cname"`
	CNameBase string   `json:"cname_base"`
	Features  []string `json:"features"`
	Platforms []string `json:"platforms"`
	Elements  []string `json:"elements"`
	Flags     []string `json:"flags"`
	Arch      *string  `json:"arch"`
	Version   *string  `json:"version"`
}

// maxQuery bounds a line, in bytes: so much memory a single line may take.
const maxQuery = 64 << 20

// batch answers every line of standard input with one line. Only the end of
// the input, a signal, or an output that cannot be written ends it.
func (c *command) batch(ctx context.Context, tree *foreignTree) error {
	done := make(chan error, 1)
	go func() { done <- c.answerAll(tree, c.In, c.Out) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done(): // The reading cannot be interrupted; the process ends.
		return ctx.Err()
	}
}

func (c *command) answerAll(tree *foreignTree, r io.Reader, w io.Writer) error {
	in, out := bufio.NewReaderSize(r, 1<<16), bufio.NewWriterSize(w, 1<<16)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for {
		line, err := readLine(in, maxQuery)
		if errors.Is(err, io.EOF) {
			return out.Flush()
		}
		var answer any
		if err == nil {
			answer, err = tree.answer(line, &c.options.features)
		} else if !errors.Is(err, errLongLine) {
			return errors.Join(fmt.Errorf("reading queries: %w", err), out.Flush())
		}
		if err != nil {
			answer = map[string]string{"error": oneLine(err)}
		}
		if err := enc.Encode(answer); err != nil {
			return fmt.Errorf("writing answers: %w", err)
		}
		// Who asks one question at a time waits for its answer.
		if in.Buffered() == 0 {
			if err := out.Flush(); err != nil {
				return fmt.Errorf("writing answers: %w", err)
			}
		}
	}
}

var errLongLine = fmt.Errorf("the line is longer than %d MiB", maxQuery>>20)

// readLine returns the next line without its end, or io.EOF behind the last.
// Of a line longer than most nothing is returned but errLongLine, and the next
// call goes on behind it.
func readLine(r *bufio.Reader, most int) ([]byte, error) {
	var line []byte
	long := false
	for {
		part, err := r.ReadSlice('\n')
		if long = long || len(line)+len(part) > most; long {
			line = nil
		} else {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil && !errors.Is(err, io.EOF):
			return nil, err
		case long:
			return nil, errLongLine
		case err != nil && len(line) == 0:
			return nil, io.EOF
		}
		return bytes.TrimSuffix(line, []byte("\n")), nil
	}
}

// queryKeys are the fields of a query, for telling mistyped ones.
var queryKeys = []string{"cname", "features", "ignore", "arch", "version", "default_arch", "default_version", "allow_frankenstein"}

// parseQuery reads a query. A key that means nothing is an error: most likely
// it is mistyped, and the answer would be one to another question.
func parseQuery(line []byte) (*featureQuery, error) {
	if !utf8.Valid(line) {
		return nil, errors.New("the line is not UTF-8")
	}
	if line = bytes.TrimSpace(line); len(line) == 0 || line[0] != '{' {
		return nil, errors.New(`a query is a JSON object: {"cname": "..."} or {"features": ["..."]}`)
	}
	q := &featureQuery{}
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(q); err != nil {
		return nil, queryFault(err)
	}
	if rest := line[d.InputOffset():]; len(bytes.TrimSpace(rest)) > 0 {
		return nil, fmt.Errorf("a query is one JSON object a line; behind it there is %s", quoted(string(rest)))
	}
	q.Features, q.Ignore = withoutEmpty(q.Features), withoutEmpty(q.Ignore)
	return q, nil
}

func queryFault(err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		what := "a string"
		switch {
		case wrong.Field == "features" || wrong.Field == "ignore":
			what = "a list of strings"
		case wrong.Field == "allow_frankenstein":
			what = "true or false"
		}
		return fmt.Errorf("%q takes %s, and this is a JSON %s", wrong.Field, what, wrong.Value)
	}
	if _, key, ok := strings.Cut(err.Error(), "unknown field "); ok {
		hint := ""
		if name := strings.Trim(key, `"`); len(name) < 100 {
			if near := config.Suggest(name, queryKeys); near != "" {
				hint = fmt.Sprintf("; did you mean %q?", near)
			}
		}
		return fmt.Errorf("a query has no key %s%s", quoted(strings.Trim(key, `"`)), hint)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the line is not JSON: it ends too early")
	}
	return fmt.Errorf("the line is not JSON: %w", err)
}

// answer answers one query; the options stand in for what it leaves out.
func (t *foreignTree) answer(line []byte, o *featureOptions) (*featureAnswer, error) {
	q, err := parseQuery(line)
	if err != nil {
		return nil, err
	}
	q.Arch, q.Version = firstOf(q.Arch, o.Arch), firstOf(q.Version, o.Version)
	q.DefaultArch, q.DefaultVersion = firstOf(q.DefaultArch, o.DefaultArch), firstOf(q.DefaultVersion, o.DefaultVersion)
	if q.Ignore == nil {
		q.Ignore = commaList(o.ignore)
	}
	asked, err := q.asked()
	if err != nil {
		return nil, err
	}
	s, err := t.selectFeatures(asked.features, q.Ignore)
	if err != nil {
		return nil, err
	}
	if problem := platformProblem(s); problem != "" && !q.AllowFrankenstein && !o.AllowFrankenstein {
		return nil, fmt.Errorf("%s; \"allow_frankenstein\": true accepts that", problem)
	}
	a := &featureAnswer{
		CNameBase: s.CNameBase, Features: s.Features,
		Platforms: notNil(s.Platforms()), Elements: notNil(s.Elements()), Flags: notNil(s.Flags()),
	}
	if asked.arch != "" {
		a.Arch = &asked.arch
	}
	if asked.version != "" {
		a.Version = &asked.version
	}
	if a.Arch != nil && a.Version != nil {
		name := cname(s, asked)
		a.CName = &name
	}
	return a, nil
}

// notNil lets JSON write [] where Go has nil.
func notNil(names []string) []string {
	if names == nil {
		return []string{}
	}
	return names
}

// oneLine is an error for an answer: of diagnostics, what they explain.
func oneLine(err error) string {
	var conf *diag.Faults
	if !errors.As(err, &conf) {
		return err.Error()
	}
	var all []string
	for _, d := range conf.List {
		all = append(all, d.Detail)
	}
	return strings.Join(all, " ")
}
