package gardenlinux

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/treewright/treewright/builder/config"
)

// Answer is one line that answers a query.
type Answer struct {
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

// queryKeys are the fields of a query, for telling mistyped ones.
var queryKeys = []string{"cname", "features", "ignore", "arch", "version", "default_arch", "default_version", "allow_frankenstein"}

// parseQuery reads a query. A key that means nothing is an error: most likely
// it is mistyped, and the answer would be one to another question.
func parseQuery(line []byte) (*Query, error) {
	if !utf8.Valid(line) {
		return nil, errors.New("the line is not UTF-8")
	}
	if line = bytes.TrimSpace(line); len(line) == 0 || line[0] != '{' {
		return nil, errors.New(`a query is a JSON object: {"cname": "..."} or {"features": ["..."]}`)
	}
	q := &Query{}
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(q); err != nil {
		return nil, queryFault(err)
	}
	if rest := line[d.InputOffset():]; len(bytes.TrimSpace(rest)) > 0 {
		return nil, fmt.Errorf("a query is one JSON object per line; after it there is %s", quoted(string(rest)))
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

// Answer answers one query, a JSON object; the options stand in for what it leaves out.
func (t *Features) Answer(line []byte, o Query) (*Answer, error) {
	q, err := parseQuery(line)
	if err != nil {
		return nil, err
	}
	q.Arch, q.Version = cmp.Or(q.Arch, o.Arch), cmp.Or(q.Version, o.Version)
	q.DefaultArch, q.DefaultVersion = cmp.Or(q.DefaultArch, o.DefaultArch), cmp.Or(q.DefaultVersion, o.DefaultVersion)
	if q.Ignore == nil {
		q.Ignore = o.Ignore
	}
	asked, err := q.Asked()
	if err != nil {
		return nil, err
	}
	s, err := t.Select(asked.Features, q.Ignore)
	if err != nil {
		return nil, err
	}
	if problem := platformProblem(s); problem != "" && !q.AllowFrankenstein && !o.AllowFrankenstein {
		return nil, fmt.Errorf("%s; \"allow_frankenstein\": true accepts that", problem)
	}
	a := &Answer{
		CNameBase: s.CanonicalName, Features: s.Features,
		Platforms: notNil(s.Platforms()), Elements: notNil(s.Elements()), Flags: notNil(s.Flags()),
	}
	if asked.Arch != "" {
		a.Arch = &asked.Arch
	}
	if asked.Version != "" {
		a.Version = &asked.Version
	}
	if a.Arch != nil && a.Version != nil {
		name := CName(s, asked)
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
