package reapi

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/treewright/treewright/builder/remote"
)

// outcome returns the result of an execution that has ended, or why there is none.
func (r *run) outcome(ctx context.Context, answer *repb.ExecuteResponse) (*remote.Done, error) {
	s := status.FromProto(answer.GetStatus())
	switch {
	case s.Code() == codes.OK:
		done, err := r.finished(ctx, answer.GetResult(), answer.GetCachedResult())
		if err == nil && done == nil {
			err = &passing{fmt.Errorf("%w: outputs of an earlier execution", remote.ErrMissing)}
		}
		return done, err
	case s.Code() == codes.DeadlineExceeded:
		r.logs.rest(ctx, answer.GetResult())
		limit := "the time that the server allows"
		if r.asked.Timeout > 0 {
			limit = r.asked.Timeout.String()
		}
		return nil, fmt.Errorf("the command did not end within %s", limit)
	}
	r.logs.rest(ctx, answer.GetResult())
	if r.began && passes(s.Code()) {
		if r.left--; r.left <= 0 {
			return nil, fmt.Errorf("the Action was lost %d times: %w", r.limits.runs, r.shown(ctx, s))
		}
	}
	return nil, r.refused(ctx, s)
}

// shown returns a status as an error.
func (r *run) shown(ctx context.Context, s *status.Status) error {
	return r.fault(ctx, execute, s.Err())
}

// refused returns the error for a status of the server.
func (r *run) refused(ctx context.Context, s *status.Status) error {
	err := r.shown(ctx, s)
	switch s.Code() {
	case codes.FailedPrecondition, codes.InvalidArgument:
		return r.unmet(ctx, s, err)
	}
	return mark(err)
}

// subject is the name of a blob in a violation.
var subject = regexp.MustCompile("(?:^|/)blobs/(?:sha256/)?([0-9a-f]{64})/[0-9]+$")

// unmet returns the error of an Action that could not begin: blobs are missing, or no worker has the properties.
func (r *run) unmet(ctx context.Context, s *status.Status, err error) error {
	lost := map[string]bool{}
	for _, detail := range s.Details() {
		failure, ok := detail.(*errdetails.PreconditionFailure)
		if !ok {
			continue
		}
		for _, v := range failure.GetViolations() {
			if v.GetType() == "MISSING" {
				found := append(subject.FindStringSubmatch(v.GetSubject()), "", "")
				lost[found[1]] = true
			}
		}
	}
	if len(lost) == 0 {
		return fmt.Errorf("%w (%s)", err, r.properties())
	}
	for hash := range lost {
		if _, known := r.needs[hash]; !known {
			return fmt.Errorf("%w: %w", remote.ErrMissing, err)
		}
	}
	if r.left--; r.left <= 0 {
		return fmt.Errorf("%w: %w", remote.ErrMissing, err)
	}
	r.lost = lost
	return &passing{err}
}

// properties returns the properties of the platform as text.
func (r *run) properties() string {
	if len(r.asked.Platform) == 0 {
		return "no platform properties were asked for"
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(r.asked.Platform)) {
		all = append(all, name+"="+r.asked.Platform[name])
	}
	return "the platform properties that were asked for are " + strings.Join(all, ", ")
}

// finished returns a result, nil if it is one of an earlier execution that does not serve.
func (r *run) finished(ctx context.Context, result *repb.ActionResult, cached bool) (*remote.Done, error) {
	done, err := r.done(result)
	if err != nil {
		return nil, r.fault(ctx, execute, err)
	}
	if cached {
		done.Cached = true
		var digests []*repb.Digest
		for _, f := range result.GetOutputFiles() {
			if f.GetDigest().GetSizeBytes() > 0 {
				digests = append(digests, f.GetDigest())
			}
		}
		missing, err := r.missing(ctx, digests)
		if err != nil {
			return nil, err
		}
		if len(missing) > 0 || done.Status != 0 {
			r.again = true
			return nil, nil
		}
	}
	r.logs.rest(ctx, result)
	return done, nil
}

// done returns an ActionResult as a value. Its outputs are files that were asked for.
func (r *run) done(result *repb.ActionResult) (*remote.Done, error) {
	if result == nil {
		return nil, fmt.Errorf("%w: an Action is done without an ActionResult", remote.ErrWrong)
	}
	done := &remote.Done{
		Status: int(result.GetExitCode()), Outputs: map[string]remote.Digest{}, Worker: result.GetExecutionMetadata().GetWorker(),
	}
	for _, f := range result.GetOutputFiles() {
		if !slices.Contains(r.asked.Outputs, f.GetPath()) {
			return nil, fmt.Errorf("%w: its ActionResult has an output %q, which was not asked for", remote.ErrWrong, f.GetPath())
		}
		if err := plausible(f.GetDigest()); err != nil {
			return nil, err
		}
		d := digestFrom(f.GetDigest())
		if before, twice := done.Outputs[f.GetPath()]; twice && before != d {
			return nil, fmt.Errorf("%w: its ActionResult has two outputs %q", remote.ErrWrong, f.GetPath())
		}
		done.Outputs[f.GetPath()] = d
	}
	if len(result.GetOutputDirectories())+len(result.GetOutputSymlinks())+len(result.GetOutputFileSymlinks())+len(result.GetOutputDirectorySymlinks()) > 0 {
		return nil, errors.New("the command has made a directory or a link in place of an output file")
	}
	return done, nil
}
