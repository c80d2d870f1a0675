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

// outcome returns the result or the error of an execution that has ended.
func (r *run) outcome(ctx context.Context, answer *repb.ExecuteResponse) (*remote.Done, error) {
	s := status.FromProto(answer.GetStatus())
	if s.Code() == codes.OK {
		done, err := r.finished(ctx, answer.GetResult(), answer.GetCachedResult())
		if err == nil && done == nil {
			err = &passing{error: fmt.Errorf("%w: an output of an earlier execution", remote.ErrMissing)}
		}
		return done, mark(err)
	}
	r.logs.rest(ctx, answer.GetResult())
	if s.Code() == codes.DeadlineExceeded {
		limit := "the time that the server allows"
		if r.asked.Timeout > 0 {
			limit = r.asked.Timeout.String()
		}
		return nil, fmt.Errorf("the command did not end within %s", limit)
	}
	err := r.refused(ctx, s)
	// A server without a queue answers Unavailable until a worker is free. Then the Action did not run.
	waited := !r.began && (s.Code() == codes.Unavailable || s.Code() == codes.ResourceExhausted)
	var p *passing
	if errors.As(err, &p) && !waited {
		p.ran = true
	}
	return nil, err
}

// refused returns the error for a status of the server. If the server has lost blobs, the error is a passing error, and
// refused sets r.lost to their hashes.
func (r *run) refused(ctx context.Context, s *status.Status) error {
	err := r.fault(ctx, execute, s.Err())
	if s.Code() != codes.FailedPrecondition && s.Code() != codes.InvalidArgument {
		return mark(err)
	}
	lost, stated := r.violations(s)
	if !stated {
		// Some servers do not name the missing blobs, so the client asks which blobs are missing.
		if missing, err := r.missing(ctx, r.needs.digests()); err == nil {
			lost = missing
		}
	}
	switch {
	case len(lost) > 0:
		r.lost = lost
		return &passing{fmt.Errorf("%w: %w", remote.ErrMissing, err), true}
	case stated: // the missing blob is not a blob of this Action
		return fmt.Errorf("%w: %w", remote.ErrMissing, err)
	}
	return fmt.Errorf("%w (%s)", err, r.properties())
}

// subject matches the name of a blob in a violation.
var subject = regexp.MustCompile("(?:^|/)blobs/(?:sha256/)?([0-9a-f]{64})/[0-9]+$")

// violations returns the hashes of the Action's blobs that a status names as missing. stated is true if the status names any blob.
func (r *run) violations(s *status.Status) (lost map[string]bool, stated bool) {
	lost = map[string]bool{}
	for _, detail := range s.Details() {
		failure, _ := detail.(*errdetails.PreconditionFailure)
		for _, v := range failure.GetViolations() {
			if v.GetType() != "MISSING" {
				continue
			}
			stated = true
			if found := subject.FindStringSubmatch(v.GetSubject()); found != nil && r.needs[found[1]].digest != nil {
				lost[found[1]] = true
			}
		}
	}
	return lost, stated
}

// properties describes the properties of the platform in an error.
func (r *run) properties() string {
	if len(r.asked.Platform) == 0 {
		return "the Action does not have platform properties"
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(r.asked.Platform)) {
		all = append(all, name+"="+r.asked.Platform[name])
	}
	return "the platform properties of the Action are " + strings.Join(all, ", ")
}

// finished returns a result. It returns nil for the result of an earlier execution (cached) if the command
// failed, or if outputs are missing.
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

// done converts an ActionResult. It returns an error if the ActionResult has outputs that are not files, or that the Action
// does not name.
func (r *run) done(result *repb.ActionResult) (*remote.Done, error) {
	if result == nil {
		return nil, fmt.Errorf("%w: the Action ended without an ActionResult", remote.ErrWrong)
	}
	done := &remote.Done{
		Status: int(result.GetExitCode()), Outputs: map[string]remote.Digest{}, Worker: result.GetExecutionMetadata().GetWorker(),
	}
	for _, f := range result.GetOutputFiles() {
		if !slices.Contains(r.asked.Outputs, f.GetPath()) {
			return nil, fmt.Errorf("%w: its ActionResult has an unexpected output %q", remote.ErrWrong, f.GetPath())
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
	if len(result.GetOutputDirectories())+len(result.GetOutputSymlinks()) > 0 {
		return nil, errors.New("the command has made a directory or a link in place of an output file")
	}
	return done, nil
}
