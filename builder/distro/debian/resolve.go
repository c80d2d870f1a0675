package debian

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/sandbox"
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
	index, err := a.parsed(ctx)
	if err != nil {
		return nil, err
	}
	unknown := &distro.UnknownError{Sources: a.sources(), Versions: map[string][]string{}}
	for _, w := range wants {
		// apt takes the name with ":ARCH", the index lists it without.
		name, _, _ := strings.Cut(w.Name, ":")
		if !index.Has(name) || w.Suite != "" && !a.knows(w) {
			unknown.Missing = append(unknown.Missing, w)
		} else if vs := index.Versions(name); w.Version != "" && !contains(vs, w.Version) {
			unknown.Missing = append(unknown.Missing, w)
			unknown.Versions[w.Name] = vs
		}
	}
	if len(unknown.Missing) > 0 {
		unknown.Index, unknown.Beside = index, a.besides(ctx, unknown.Missing)
		return nil, unknown
	}
	var names []string
	if base != nil {
		for _, p := range base.Packages {
			names = append(names, p.Name+"="+p.Version)
		}
	} else {
		names = append(index.Required(), "apt")
	}
	for _, w := range wants {
		names = append(names, a.argument(w))
	}
	solve := a.solve
	if a.parts != nil {
		solve = a.solveUnion
	}
	closure, err := solve(ctx, index, names)
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

// question identifies a call of Resolve.
func (a *Archive) question(base *distro.Closure, wants []distro.Want) string {
	h := sha256.New()
	fmt.Fprintf(h, "3\n%s\n%s\n", a.release, a.root)
	if base != nil {
		fmt.Fprintf(h, "base %s\n", base.Digest())
	}
	for _, w := range wants {
		fmt.Fprintln(h, w)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (a *Archive) solve(ctx context.Context, index *Index, names []string) (*distro.Closure, error) {
	sort.Strings(names)
	argv := append([]string{"apt-get", "install", "--simulate", "-q", "-o", "Debug::NoLocking=true", "--"}, names...)
	out, err := a.apt(ctx, argv...)
	if err != nil {
		return nil, unsolved(out, err)
	}
	insts, err := parseSimulation(string(out))
	if err != nil {
		return nil, fmt.Errorf("resolve packages: %w", err)
	}
	c := &distro.Closure{}
	for _, inst := range insts {
		p, err := index.Package(inst[0], inst[1])
		if err != nil {
			return nil, fmt.Errorf("resolve packages: apt chose one that is not in the index: %w", err)
		}
		p.Source, p.Suite = a.Source.Name, a.Source.Suite
		c.Packages = append(c.Packages, p)
	}
	sortPackages(c.Packages)
	return c, nil
}

// unsolved is the error of an apt that found no solution, or did not run.
func unsolved(out []byte, err error) error {
	var exit *sandbox.ExitError
	if errors.As(err, &exit) {
		reason := strings.TrimSpace(string(out) + "\n" + strings.TrimPrefix(err.Error(), exit.Error()))
		return &distro.UnsolvableError{Program: "apt", Reason: reason}
	}
	return fmt.Errorf("resolve packages: %w", err)
}

// simulated is a line of apt-get --simulate: "Inst NAME (VERSION ORIGIN [ARCH])",
// with ":ARCH" behind the name of a foreign one.
var simulated = regexp.MustCompile(`^Inst ([a-z0-9][a-z0-9+.-]*)(?::[a-z0-9-]+)? (?:\[[^\]]*\] )?\(([A-Za-z0-9.+:~-]+)[ )]`)

// parseSimulation returns name and version of what apt would install.
func parseSimulation(out string) ([][2]string, error) {
	var insts [][2]string
	for line := range strings.SplitSeq(out, "\n") {
		if !strings.HasPrefix(line, "Inst ") {
			continue
		}
		m := simulated.FindStringSubmatch(line)
		if m == nil {
			return nil, fmt.Errorf("apt is to install something that is not understood: %q", line)
		}
		insts = append(insts, [2]string{m[1], m[2]})
	}
	return insts, nil
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}
