package debian

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/download"
)

// TrackerURL is where Debian's security tracker has its data.
func (Family) TrackerURL() string { return "https://security-tracker.debian.org/tracker/data/json" }

// tracked is a fault of one source package in the tracker's data.
type tracked struct {
	Description string
	Releases    map[string]struct {
		Status       string
		FixedVersion string `json:"fixed_version"`
		Urgency      string
		NoDSA        string `json:"nodsa"`
		NoDSAReason  string `json:"nodsa_reason"`
	}
}

// Issues reads the data of Debian's security tracker: an object of source packages, each
// an object of faults. Never more than one fault is in memory, beside those returned. Errors
// of what was read to its end are [download.Permanent]: another try would give the same.
func (Family) Issues(from io.Reader, release string, wanted func(source string) bool) ([]distro.Issue, error) {
	r := &failing{Reader: from}
	t := tracker{dec: json.NewDecoder(r), release: release, releases: map[string]bool{}}
	err := t.object(func(source string) error {
		want := wanted(source)
		return t.object(func(id string) error { return t.fault(source, id, want) })
	})
	if err == nil {
		if _, err = t.dec.Token(); err == nil {
			err = errors.New("something follows the data")
		} else if errors.Is(err, io.EOF) {
			err = nil
		}
	}
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errors.New("the data of the security tracker end in the middle")
	case r.err != nil:
		return nil, r.err
	case err != nil:
		return nil, download.Permanent(fmt.Errorf("not the data of Debian's security tracker: %w", err))
	case t.faults == 0:
		return nil, download.Permanent(errors.New("the data of the security tracker have no fault of any package"))
	case !t.releases[release] && len(t.releases) > 0:
		return nil, download.Permanent(fmt.Errorf("the data of the security tracker do not have the release %q; they have %s", release, strings.Join(slices.Sorted(maps.Keys(t.releases)), ", ")))
	}
	return t.issues, nil
}

// failing remembers why a reader failed, so that this is not taken for a fault of the data.
type failing struct {
	io.Reader
	err error
}

func (f *failing) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		f.err = err
	}
	return n, err
}

// tracker is the data being read.
type tracker struct {
	dec      *json.Decoder
	release  string
	issues   []distro.Issue
	releases map[string]bool
	faults   int
}

// object reads an object: each has to read the value of a name.
func (t *tracker) object(each func(name string) error) error {
	token, err := t.dec.Token()
	if err != nil {
		return err
	}
	if token != json.Delim('{') {
		return fmt.Errorf("at byte %d: %v in place of an object", t.dec.InputOffset(), token)
	}
	for t.dec.More() {
		name, err := t.dec.Token()
		if err != nil {
			return err
		}
		text, ok := name.(string)
		if !ok {
			return fmt.Errorf("at byte %d: %v in place of a name", t.dec.InputOffset(), name)
		}
		if err := each(text); err != nil {
			return err
		}
	}
	_, err = t.dec.Token()
	return err
}

// fault reads a fault of a source package.
func (t *tracker) fault(source, id string, wanted bool) error {
	t.faults++
	if !wanted {
		// Only the names of releases: the data may have no fault of a package that is wanted.
		var skipped struct{ Releases map[string]struct{} }
		if err := t.dec.Decode(&skipped); err != nil {
			return fmt.Errorf("%s of %s: %w", id, source, err)
		}
		for name := range skipped.Releases {
			t.releases[name] = true
		}
		return nil
	}
	var f tracked
	if err := t.dec.Decode(&f); err != nil {
		return fmt.Errorf("%s of %s: %w", id, source, err)
	}
	for name := range f.Releases {
		t.releases[name] = true
	}
	in, ok := f.Releases[t.release]
	if !ok {
		return nil // the release does not have the package any more, or not yet
	}
	issue := distro.Issue{ID: id, Source: source, Urgency: in.Urgency, Description: f.Description, Remark: strings.TrimSpace(in.NoDSA)}
	if in.NoDSAReason != "" && issue.Remark != "" {
		issue.Remark = in.NoDSAReason + ": " + issue.Remark
	}
	switch in.Status {
	case "open":
	case "undetermined":
		issue.Undetermined = true
	case "resolved":
		// The tracker writes 0 for what the release never had.
		issue.Fixed, issue.Unaffected = in.FixedVersion, in.FixedVersion == "0"
		if issue.Fixed == "" {
			return fmt.Errorf("%s of %s is resolved in %s, but without a version", id, source, t.release)
		}
	default:
		return fmt.Errorf("%s of %s has the unknown status %q in %s", id, source, in.Status, t.release)
	}
	t.issues = append(t.issues, issue)
	return nil
}
