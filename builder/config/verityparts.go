package config

import "github.com/hashicorp/hcl/v2"

// Verity is how a flavour's extensions are signed, and by which certificates its machines
// know them.
type Verity struct {
	// Key is the absolute path of the private key, empty if there is none; Command is the
	// command that signs in place of it. At most one of them is there; At is where.
	Key     string
	Command []string
	At      hcl.Range
	// Certificates are in the order written; their names are different.
	Certificates []VerityCertificate
}

// VerityCertificate is a certificate that machines check signatures of extensions by.
type VerityCertificate struct {
	// Name is what it is called on machines, without .crt; Path is the file in the
	// configuration tree.
	Name, Path string
	Content    []byte `json:"-"`
	Range      hcl.Range
}

// Signs reports whether extensions are signed when they are published.
func (v *Verity) Signs() bool { return v.Key != "" || len(v.Command) > 0 }
