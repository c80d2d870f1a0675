package debian

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/layer"
)

// Resolve returns the exact packages that installing the wanted ones on top of
// base (nil: on nothing) takes, base's own included. Without a base the
// essential and required packages and apt are always part of it. The answer is
// apt's own solver's and is remembered for the same release file.
func (a *Archive) Resolve(ctx context.Context, base *distro.Closure, wants []distro.Want) (*distro.Closure, error) {
	memo := filepath.Join(a.results, a.question(base, wants)+".json")
	if raw, ok, err := layer.ReadSealed(memo); err == nil && ok {
		var c distro.Closure
		if json.Unmarshal(raw, &c) == nil {
			// By this it is known what was of use, when space is freed.
			now := time.Now()
			_ = os.Chtimes(memo, now, now)
			return &c, nil
		}
	}
	index, err := a.prepared(ctx)
	if err != nil {
		return nil, err
	}
	if unknown := a.unknown(index, wants); len(unknown.Missing) > 0 {
		unknown.Beside = a.besides(ctx, unknown.Missing)
		unknown.LeftOut = a.leftOut(ctx, unknown.Missing)
		return nil, unknown
	}
	if err := forbidden(base, wants); err != nil {
		return nil, err
	}
	q, err := a.pose(index, base, wants)
	defer q.close()
	if err != nil {
		return nil, err
	}
	closure, err := q.answer(ctx, base, wants)
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(closure)
	if err != nil {
		return nil, fmt.Errorf("remember packages: %w", err)
	}
	if err := layer.WriteSealed(memo, raw, 0o644); err != nil {
		return nil, fmt.Errorf("remember packages: %w", err)
	}
	return closure, nil
}

// unknown lists the wants that the archive does not have.
func (a *Archive) unknown(index *Index, wants []distro.Want) *distro.UnknownError {
	unknown := &distro.UnknownError{Sources: a.sources(), Versions: map[string][]string{}, Index: index}
	for _, w := range wants {
		if w.Forbidden || w.Local != nil || w.Version == "" && a.holds(w.Name) {
			continue
		}
		// apt takes the name with ":ARCH", the index lists it without.
		name, arch, qualified := strings.Cut(w.Name, ":")
		if !index.Has(name) || w.Suite+w.Version == "" && a.below(w.Name) != "" || w.Suite != "" && !a.knows(w) || qualified && contains(a.MoreArchs, arch) && !index.hasFor(name, arch) {
			unknown.Missing = append(unknown.Missing, w)
		} else if vs := index.versionsFor(name, arch); w.Version != "" && !contains(vs, w.Version) {
			unknown.Missing = append(unknown.Missing, w)
			unknown.Versions[w.Name] = vs
		}
	}
	return unknown
}

// question identifies a call of Resolve.
func (a *Archive) question(base *distro.Closure, wants []distro.Want) string {
	h := sha256.New()
	fmt.Fprintf(h, "4\n%s\n%s\n", a.release, a.root)
	if base != nil {
		fmt.Fprintf(h, "base %s\n", base.Digest())
	}
	for _, p := range a.held {
		fmt.Fprintln(h, "held", p.Package, p.SHA256)
	}
	for _, w := range wants {
		sum := ""
		if w.Local != nil {
			sum = w.Local.SHA256 + " " + w.Local.Source
		}
		fmt.Fprintln(h, w, w.Recommends, w.Forbidden, sum)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}
