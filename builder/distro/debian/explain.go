package debian

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/download"
)

// archs are the architectures that the archive is asked for.
func (a *Archive) archs() []string { return append([]string{a.Arch}, a.MoreArchs...) }

// explained is a [*distro.SourceError] in place of apt's error.
func (a *Archive) explained(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	// A program that finds proxies is apt's alone: what is asked without one proves
	// nothing.
	if download.Lasting(err) && !a.Policy.asksForProxies() {
		j := judge{client: a.client, policy: a.Policy, archs: a.archs(), now: time.Now().UTC()}
		if fault := j.source(ctx, a.Source); fault != nil {
			return fault
		}
	}
	return &distro.SourceError{
		Source: a.Source.Name, Field: distro.URLsField, Value: a.Source.URL, Summary: "Archive that cannot be used", Outside: true,
		Detail: fmt.Sprintf("%s: %v", a.task(), err),
	}
}

// offered describes what the source asks for that the archive does not have, by the
// release file in use.
func (a *Archive) offered() error {
	data, err := os.ReadFile(a.inRelease())
	if err != nil {
		return err
	}
	r, _ := readRelease(data)
	var faults []error
	for _, fault := range offers(a.Source, a.archs(), r) {
		faults = append(faults, fault)
	}
	return errors.Join(faults...)
}
