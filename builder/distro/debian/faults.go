package debian

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/distro"
)

// offers describes what a source asks for that its verified release file does not have.
// apt says nothing of it.
func offers(s distro.Source, archs []string, r release) []*distro.SourceError {
	var faults []*distro.SourceError
	if s.Architectures != nil {
		archs = s.Architectures
	}
	served := false
	for _, arch := range archs {
		served = served || r.serves(arch)
	}
	for _, arch := range archs {
		// A further archive for some architectures of a system only is nothing unusual,
		// unless it is asked for this one.
		if r.serves(arch) || served && s.Architectures == nil && s.Name != distro.MainSource {
			continue
		}
		faults = append(faults, &distro.SourceError{
			Source: s.Name, Field: distro.ArchitecturesField, Value: arch, Summary: "Unknown architecture",
			Detail: fmt.Sprintf("The release file of %s lists no packages for %s. It has %s.", s, arch, list(r.Architectures)), Known: r.Architectures,
		})
	}
	if s.Flat() {
		return faults
	}
	for _, c := range s.Components {
		if !r.has(c) {
			faults = append(faults, &distro.SourceError{
				Source: s.Name, Field: distro.ComponentsField, Value: c, Summary: "Unknown component",
				Detail: fmt.Sprintf("The release file of %s has no component %q. It has %s.", s, c, list(r.Components)), Known: r.Components,
			})
		}
	}
	return faults
}

// list is an enumeration for people.
func list(words []string) string {
	const most = 12
	switch {
	case len(words) == 0:
		return "none"
	case len(words) > most:
		return strings.Join(words[:most], ", ") + " and others"
	case len(words) == 1:
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// missingKeyring is the fault of a source whose keyring cannot be found.
func missingKeyring(s distro.Source, err error) *distro.SourceError {
	fault := &distro.SourceError{Source: s.Name, Field: distro.KeyringField, Summary: "Missing keyring", Outside: true}
	fault.Detail = fmt.Sprintf("The keyring %s, which the release file of %s must be signed by, cannot be read: %v.", s.Keyring, s, errors.Unwrap(err))
	if s.Keyring == (Family{}).DefaultKeyring() {
		fault.Detail = fmt.Sprintf("This machine has no %s, by whose keys the release file of %s must be signed. The package debian-archive-keyring contains it: apt-get install debian-archive-keyring. Or name a file with the keys in keyring.", s.Keyring, s)
	}
	return fault
}

// signedBy describes what is wrong with the keys of a release file's signatures; nil if
// one of them is in the keyring and good.
func signedBy(s distro.Source, signatures []pgpSignature, keyring []byte, now time.Time) *distro.SourceError {
	fault := &distro.SourceError{Source: s.Name, Field: distro.KeyringField, Outside: true}
	keys, err := readKeyring(keyring)
	if err != nil {
		fault.Summary, fault.Outside = "Not a keyring", false
		fault.Detail = fmt.Sprintf("The keyring %s, which the release file of %s must be signed by, is %v.", s.Keyring, s, err)
		return fault
	}
	var issuers []string
	var expired *pgpKey
	for _, signature := range signatures {
		for _, k := range keys {
			switch {
			case signature.Issuer == "" || !k.has(signature.Issuer):
			case k.Expires.IsZero() || k.Expires.After(now):
				return nil
			default:
				expired = &k
			}
		}
		issuers = append(issuers, signature.Issuer)
	}
	if expired != nil {
		fault.Summary = "Expired key"
		fault.Detail = fmt.Sprintf("The release file of %s is signed by the key %s, which expired on %s. If the archive's owner has made it last longer, take the new file for %s.",
			s, keyName(*expired), day(expired.Expires), s.Keyring)
		return fault
	}
	asked := make([]string, len(keys))
	for i, k := range keys {
		asked[i] = keyName(k)
	}
	fault.Summary = "Signed by another key"
	fault.Detail = fmt.Sprintf("The release file of %s is signed by the key %s, which is not in the keyring %s. That has %s. If the archive's owner announces the new key, add it to the keyring; if not, do not use what the archive offers.",
		s, list(issuers), s.Keyring, list(asked))
	if s.Name == "security" {
		fault.Detail += " If the distribution's security updates are in an archive of its own, name it by security_mirror."
	}
	return fault
}

// keyName is a key's fingerprint with whom it is of.
func keyName(k pgpKey) string {
	if len(k.Users) == 0 {
		return k.IDs[0]
	}
	return k.IDs[0] + " (" + k.Users[0] + ")"
}

func day(at time.Time) string { return at.Format("2 January 2006, 15:04 UTC") }

// inTime describes what is wrong with the dates of a release file; nil if nothing is.
func inTime(s distro.Source, r release, now time.Time) *distro.SourceError {
	fault := &distro.SourceError{Source: s.Name, Outside: true, Field: distro.SuitesField, Value: s.Suite}
	switch {
	case !r.ValidUntil.IsZero() && r.ValidUntil.Before(now):
		fault.Summary = "Expired release file"
		fault.Detail = fmt.Sprintf("The release file of %s was good until %s, and this machine's clock says %s: the mirror is no longer kept up to date, or somebody holds updates back. Use another mirror; if old packages are what you want, let this machine's apt accept them with Acquire::Check-Valid-Until \"false\".",
			s, day(r.ValidUntil), day(now))
	case r.Date.After(now.Add(10 * time.Second)):
		fault.Summary = "Release file of the future"
		fault.Detail = fmt.Sprintf("The release file of %s is of %s, and this machine's clock says %s: look at the clock.", s, day(r.Date), day(now))
	default:
		return nil
	}
	return fault
}
