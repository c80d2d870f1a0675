package ostree

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"

	"github.com/treewright/treewright/builder/download"
)

// sumsSignature is the ending of the file with the detached signature of SHA256SUMS, and
// mostSignature how long it may be, in bytes.
const (
	sumsSignature = ".sig"
	mostSignature = 1 << 20
)

// allowUnsigned is how to take a history that is not signed.
const allowUnsigned = "if its commits are from before the flavour was signed, or of a key that was removed, give --allow-unsigned-history once"

// checkSignature checks the signature beside a list of sums. Names without keys check
// nothing, and neither do those that take an unsigned history.
func (n Names) checkSignature(ctx context.Context, client *download.Client, list string, sums []byte) error {
	if n.Keys == nil || n.Unsigned {
		return nil
	}
	body, err := client.Open(ctx, list+sumsSignature)
	var status *download.StatusError
	if errors.As(err, &status) && status.Code == http.StatusNotFound {
		return download.Permanent(fmt.Errorf("%s is not signed: %s%s does not exist; %s", list, list, sumsSignature, allowUnsigned))
	}
	if err != nil {
		return fmt.Errorf("%s%s: %w", list, sumsSignature, err)
	}
	defer body.Close()
	signature, err := io.ReadAll(io.LimitReader(body, mostSignature))
	if err != nil {
		return fmt.Errorf("%s%s: %w", list, sumsSignature, err)
	}
	// Sums and signature may be from before and after a publication: another try has both.
	if _, err := n.Keys.Verify(ctx, sums, signature); err != nil {
		return download.Doubtful(fmt.Errorf("%s%s does not count: %w", list, sumsSignature, err))
	}
	return nil
}

// believeSigned refuses a history from an archive with a commit that no key has signed. The newest
// commit of the own ref is not looked at: the archive was packed before it was signed, and
// the signed sums are those of the archive.
func (n Names) believeSigned(ctx context.Context, h History) error {
	if n.Keys == nil || n.Unsigned || h.Head == "" {
		return nil
	}
	heads := map[string]string{n.Ref: h.Parent}
	for ref, commit := range h.Others {
		heads[ref] = commit
	}
	repo := Repository{dir: h.Repo}
	for ref, head := range heads {
		if head == "" {
			continue
		}
		unsigned, err := repo.unsigned(ctx, head, n.Keys, false)
		if errors.Is(err, fs.ErrNotExist) {
			continue // the history was cut off there
		}
		if err != nil {
			return fmt.Errorf("look for history: %w", err)
		}
		if len(unsigned) > 0 {
			return fmt.Errorf("look for history: commit %s of %s in %s does not count: %w; %s", unsigned[0], ref, h.From, repo.whyUnsigned(ctx, unsigned[0], n.Keys), allowUnsigned)
		}
	}
	return nil
}
