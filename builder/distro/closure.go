package distro

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Closure is a set of exact packages of an archive, sorted by name.
type Closure struct {
	Packages []Archived `json:"packages"`
	// Missed are packages that others recommend, that were asked for with these, and
	// that cannot be installed: names, "A | B" for a choice.
	Missed []string `json:"missed,omitempty"`
}

// Names returns the packages' names.
func (c *Closure) Names() []string {
	names := make([]string, len(c.Packages))
	for i, p := range c.Packages {
		names[i] = p.Name
	}
	return names
}

// Minus returns the packages of c that are not in other.
func (c *Closure) Minus(other *Closure) *Closure {
	have := map[string]bool{}
	for _, p := range other.Packages {
		have[p.SHA256] = true
	}
	out := &Closure{}
	for _, p := range c.Packages {
		if !have[p.SHA256] {
			out.Packages = append(out.Packages, p)
		}
	}
	return out
}

// Digest identifies the set: the SHA-256 over names, versions, architectures
// and hashes, in hexadecimal.
func (c *Closure) Digest() string {
	h := sha256.New()
	for _, p := range c.Packages {
		fmt.Fprintf(h, "%s %s %s %s\n", p.Name, p.Version, p.Arch, p.SHA256)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Index returns the set as a Packages file.
func (c *Closure) Index() []byte {
	var b strings.Builder
	for i, p := range c.Packages {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(strings.TrimRight(p.Stanza, "\n"))
		b.WriteByte('\n')
	}
	return []byte(b.String())
}

// ReadIndex reads the packages of an index as [Closure.Index] writes it, without what is
// known of their files.
func ReadIndex(index []byte) []Package {
	var out []Package
	for stanza := range strings.SplitSeq(string(index), "\n\n") {
		if name := fieldOf(stanza, "Package"); name != "" {
			out = append(out, Package{Name: name, Version: fieldOf(stanza, "Version"), Arch: fieldOf(stanza, "Architecture")})
		}
	}
	return out
}

// From returns the names of the sources that packages are from, by the packages'
// SHA-256. Those of [MainSource] are left out.
func (c *Closure) From() map[string]string {
	var from map[string]string
	for _, p := range c.Packages {
		if p.Source == "" || p.Source == MainSource {
			continue
		}
		if from == nil {
			from = map[string]string{}
		}
		from[p.SHA256] = p.Source
	}
	return from
}

// Bare returns the packages without what the archive says of their files.
func (c *Closure) Bare() []Package {
	bare := make([]Package, len(c.Packages))
	for i, p := range c.Packages {
		bare[i] = p.Package
	}
	return bare
}
