package verify

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/publish"
)

// Published is what somebody published of a flavour.
type Published struct {
	// Where is the URL or directory.
	Where string
	sums  map[string]string
	// what is the public part of the manifest, nil if it is not published.
	what *description
	get  getter
}

// description is the part of a published manifest that is compared.
type description struct {
	Features     []string `json:"features"`
	Distribution struct {
		Suite string `json:"suite"`
		Arch  string `json:"arch"`
	} `json:"distribution"`
	Packages []distro.Package `json:"packages"`
	Commit   string           `json:"commit"`
	Parent   string           `json:"parent"`
}

// Against is how a build compares with what is published.
type Against struct {
	Where string `json:"where"`
	// Same reports whether all that the build made is published, and the same.
	Same      bool      `json:"same"`
	Artifacts []Compare `json:"artifacts"`
	// Reasons are why it can differ, a line each: other packages, other features.
	Reasons []string `json:"reasons"`
}

// Compare is one artifact: "same", "differs", or "not published".
type Compare struct {
	Name  string `json:"name"`
	State string `json:"state"`
	// Ours and Theirs are the SHA-256 of both, or the commits that a ref leads to.
	Ours   string `json:"ours,omitempty"`
	Theirs string `json:"theirs,omitempty"`
}

// mostText is how large a published list may be, in bytes.
const mostText = 32 << 20

// getter reads a published file, which must not be larger than most.
type getter func(ctx context.Context, name string, most int64) ([]byte, error)

var sumLine = regexp.MustCompile(`^([0-9a-f]{64}) [ *]([^/\x00-\x1f]+)$`)

// ReadPublished reads what is published at a URL, or in a directory: the checksums, and the
// public part of the manifest if there is one.
func ReadPublished(ctx context.Context, where string) (*Published, error) {
	p := &Published{Where: where, sums: map[string]string{}}
	if u, err := url.Parse(where); err == nil && (u.Scheme == "http" || u.Scheme == "https") {
		p.get = fromURL(u)
	} else if info, err := os.Stat(where); err == nil && info.IsDir() {
		p.get = fromDirectory(where)
	} else {
		return nil, diag.Requestf("--against takes a URL (http or https) or a directory, not %q", event.Mask(where))
	}
	text, err := p.get(ctx, publish.SumsName, mostText)
	if err != nil {
		return nil, fmt.Errorf("read what is published: %s: %w", publish.SumsName, err)
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		m := sumLine.FindStringSubmatch(lines.Text())
		if m == nil {
			return nil, fmt.Errorf("read what is published: %s has the line %.80q, which is not a checksum and a name", publish.SumsName, lines.Text())
		}
		if old := p.sums[m[2]]; old != "" && old != m[1] {
			return nil, fmt.Errorf("read what is published: %s has two checksums of %q", publish.SumsName, m[2])
		}
		p.sums[m[2]] = m[1]
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read what is published: %s: %w", publish.SumsName, err)
	}
	for _, name := range []string{publish.SummaryName, publish.ManifestName} {
		text, err := p.get(ctx, name, mostText)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = json.Unmarshal(text, &p.what)
		}
		if err != nil {
			return nil, fmt.Errorf("read what is published: %s: %w", name, err)
		}
		break
	}
	return p, nil
}

func fromDirectory(dir string) getter {
	return func(_ context.Context, name string, most int64) ([]byte, error) {
		root, err := os.OpenRoot(dir)
		if err != nil {
			return nil, err
		}
		defer root.Close()
		info, err := root.Stat(name)
		if err != nil {
			return nil, err
		}
		if !info.Mode().IsRegular() {
			return nil, fmt.Errorf("%s is not a file", name)
		}
		f, err := root.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return bounded(f, most)
	}
}

func fromURL(base *url.URL) getter {
	client := download.New(download.Patient, http.ProxyFromEnvironment, func(string) {})
	return func(ctx context.Context, name string, most int64) (content []byte, err error) {
		err = client.Try(ctx, name, func() error {
			body, err := client.Open(ctx, base.JoinPath(name).String())
			if err != nil {
				return err
			}
			defer body.Close()
			content, err = bounded(body, most)
			return err
		})
		var status *download.StatusError
		if errors.As(err, &status) && status.Code == http.StatusNotFound {
			err = fmt.Errorf("%w: %w", err, fs.ErrNotExist)
		}
		return content, err
	}
}

func bounded(r io.Reader, most int64) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(content)) > most {
		return nil, download.Permanent(fmt.Errorf("it is larger than %s", event.FormatBytes(most)))
	}
	return content, err
}

// against compares what the first build made with what is published. Signatures are not
// compared: the build has none.
func (p *Published) against(ctx context.Context, m *publish.Manifest) (*Against, error) {
	a := &Against{Where: p.Where, Same: true, Artifacts: []Compare{}, Reasons: []string{}}
	note := func(name, ours, theirs string) {
		state := "same"
		switch {
		case theirs == "":
			state = "not published"
		case ours != theirs:
			state = "differs"
		}
		a.Same = a.Same && state == "same"
		a.Artifacts = append(a.Artifacts, Compare{name, state, ours, theirs})
	}
	for _, artifact := range m.Artifacts {
		switch {
		case artifact.SHA256 != "":
			note(artifact.Name, artifact.SHA256, p.sums[artifact.Name])
		case artifact.Kind == "repository" && m.Ref != "":
			head, err := p.get(ctx, artifact.Name+"/refs/heads/"+m.Ref, 4096)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, fmt.Errorf("read what is published: the ref %s: %w", m.Ref, err)
			}
			note(artifact.Name, m.Commit, strings.TrimSpace(string(head)))
		}
	}
	if !a.Same {
		a.Reasons = append(a.Reasons, p.reasons(m)...)
	}
	return a, nil
}

// mostReasons is how many packages are listed.
const mostReasons = 40

// reasons explain why the build cannot be the same.
func (p *Published) reasons(m *publish.Manifest) []string {
	if p.what == nil {
		return []string{"The packages that it was made from are not known: build.json is missing there (serve --write makes it)."}
	}
	var lines []string
	differ := func(what, theirs, ours string) {
		if theirs != ours && theirs != "" {
			lines = append(lines, fmt.Sprintf("The published one has the %s %s, this one %s.", what, theirs, ours))
		}
	}
	differ("suite", p.what.Distribution.Suite, m.Distribution.Suite)
	differ("architecture", p.what.Distribution.Arch, m.Distribution.Arch)
	for _, f := range p.what.Features {
		if !slices.Contains(m.Features, f) {
			lines = append(lines, "The published one has the feature "+f+", this one does not.")
		}
	}
	for _, f := range m.Features {
		if !slices.Contains(p.what.Features, f) && len(p.what.Features) > 0 {
			lines = append(lines, "This one has the feature "+f+", the published one does not.")
		}
	}
	var ours []distro.Package
	for _, q := range m.Packages {
		ours = append(ours, q.Package)
	}
	changes := distro.Changes(p.what.Packages, ours)
	for _, c := range changes[:min(len(changes), mostReasons)] {
		lines = append(lines, "Package, published and here: "+c.String())
	}
	if more := len(changes) - mostReasons; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more packages", more))
	}
	if p.what.Commit != "" && p.what.Parent != m.Parent {
		lines = append(lines, fmt.Sprintf("The published commit follows %.12s, this one %.12s: their histories differ.", orNone(p.what.Parent), orNone(m.Parent)))
	}
	if len(lines) == 0 {
		lines = append(lines, "It was made from the same packages and features, so a file of a feature, a parameter, or the builder differs.")
	}
	return lines
}

func orNone(commit string) string {
	if commit == "" {
		return "none"
	}
	return commit
}
