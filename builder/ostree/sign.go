package ostree

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/treewright/treewright/builder/format"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/sign"
	"github.com/treewright/treewright/builder/treefs"
)

// Sign signs what refs lead to, as far as no valid signature of the signer's keys is there
// yet, and the summary. Signatures of other keys stay. A commit's ancestors are looked at up to the first that is signed.
// Without a signer nothing is signed, and a signature that would not fit the
// summary is removed, because machines refuse that in other words than none.
func (s *Staged) Sign(ctx context.Context, signer *sign.Signer) (Signed, error) {
	var done Signed
	if signer == nil {
		if err := s.completeDeltas(); err != nil {
			return done, fmt.Errorf("publish repository: %w", err)
		}
		if slices.Contains(s.files, "summary") && treefs.Exists(filepath.Join(s.to.dir, SummarySignature)) {
			s.unsign, done.Dropped = true, true
		}
		return done, nil
	}
	err := s.signCommits(ctx, signer, &done)
	if err == nil {
		err = s.completeDeltas()
	}
	if err == nil {
		err = s.signSummary(ctx, signer, &done)
	}
	if err != nil {
		return done, fmt.Errorf("publish repository: %w", err)
	}
	return done, nil
}

func (s *Staged) signCommits(ctx context.Context, signer *sign.Signer, done *Signed) error {
	var names []string
	for _, ref := range slices.Sorted(maps.Keys(s.refs)) {
		unsigned, err := s.to.unsigned(ctx, s.refs[ref], signer.Keys, true)
		if err != nil {
			return err
		}
		for _, sum := range slices.Backward(unsigned) {
			if slices.Contains(done.Commits, sum) {
				continue
			}
			if err := s.signCommit(ctx, signer, sum); err != nil {
				return err
			}
			done.Commits = append(done.Commits, sum)
			names = append(names, object(sum, detached))
			s.reached = append(s.reached, sum+"."+detached)
		}
	}
	if s.whole == "" {
		// Signatures are there before a ref leads to what they are of.
		s.files = append(names, s.files...)
	}
	return nil
}

// signCommit adds a signature to those of a commit.
func (s *Staged) signCommit(ctx context.Context, signer *sign.Signer, sum string) error {
	raw, err := s.to.read(sum, "commit")
	if err != nil {
		return err
	}
	signature, err := signer.Sign(ctx, "commit "+sum, raw)
	if err != nil {
		return err
	}
	return s.addSignature(object(sum, detached), signature)
}

// addSignature stages a file of signatures with one more.
func (s *Staged) addSignature(name string, signature []byte) error {
	have, err := os.ReadFile(filepath.Join(s.to.dir, name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	before, err := format.OSTreeSignatures(have)
	if err != nil {
		have, before = nil, nil // it is of no use to anybody
	}
	if name == SummarySignature {
		before = nil // of another summary
	}
	meta, err := format.WithOSTreeSignatures(have, append(before, signature))
	if err != nil {
		return err
	}
	at := filepath.Join(s.to.dir, stagedFiles, name)
	if s.whole != "" {
		at = filepath.Join(s.to.dir, name)
	}
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return err
	}
	return layer.WriteFile(at, meta, 0o644)
}

func (s *Staged) signSummary(ctx context.Context, signer *sign.Signer, done *Signed) error {
	summary, err := os.ReadFile(s.current("summary"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	meta, err := os.ReadFile(filepath.Join(s.to.dir, SummarySignature))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if countsOne(ctx, signer.Keys, summary, meta) {
		return nil
	}
	signature, err := signer.Sign(ctx, "summary", summary)
	if err != nil {
		return err
	}
	done.Summary = true
	if s.whole == "" {
		s.files = append(s.files, SummarySignature)
	}
	return s.addSignature(SummarySignature, signature)
}

// countsOne reports whether one of the signatures in detached metadata is valid.
func countsOne(ctx context.Context, keys *sign.Keyring, data, meta []byte) bool {
	return whyUnsigned(ctx, keys, data, meta) == nil
}

var errUnsigned = errors.New("it is not signed")

// whyUnsigned returns why none of the signatures in detached metadata is valid; nil if one is.
func whyUnsigned(ctx context.Context, keys *sign.Keyring, data, meta []byte) error {
	signatures, err := format.OSTreeSignatures(meta)
	if err != nil {
		return err
	}
	why := errUnsigned
	for _, signature := range signatures {
		_, err := keys.Verify(ctx, data, signature)
		if err == nil {
			return nil
		}
		why = fmt.Errorf("its signature does not count: %w", err)
	}
	return why
}

// unsigned are a commit and those of its ancestors that no key of the ring has signed, the
// newest first; up to the first one that is signed, or all.
func (r Repository) unsigned(ctx context.Context, head string, keys *sign.Keyring, upToSigned bool) ([]string, error) {
	var unsigned []string
	for sum := head; sum != ""; {
		c, err := r.Commit(sum)
		if errors.Is(err, fs.ErrNotExist) && sum != head {
			break // the history was cut off there
		}
		if err != nil {
			return nil, err
		}
		if r.whyUnsigned(ctx, sum, keys) != nil {
			unsigned = append(unsigned, sum)
		} else if upToSigned {
			break
		}
		sum = c.Parent
	}
	return unsigned, nil
}

// whyUnsigned returns why a commit does not count as signed by a key of the ring.
func (r Repository) whyUnsigned(ctx context.Context, sum string, keys *sign.Keyring) error {
	raw, err := r.read(sum, "commit")
	if err != nil {
		return err
	}
	meta, err := os.ReadFile(filepath.Join(r.dir, object(sum, detached)))
	if errors.Is(err, fs.ErrNotExist) {
		return errUnsigned
	}
	if err != nil {
		return err
	}
	return whyUnsigned(ctx, keys, raw, meta)
}
