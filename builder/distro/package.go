package distro

// Want is a package that somebody asked for.
type Want struct {
	Name    string `json:"Name"`
	Version string `json:"Version"` // "" for the suite's
}

func (w Want) String() string {
	if w.Version == "" {
		return w.Name
	}
	return w.Name + "=" + w.Version
}

// Package is one package of an archive, as its index describes it.
type Package struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Arch    string `json:"arch"`
	// Filename is the path of the .deb below the mirror, Size its length in
	// bytes, SHA256 its hash in hexadecimal.
	Filename string `json:"filename"`
	Size     int64  `json:"size"`
	SHA256   string `json:"sha256"`
	// Stanza is the package's paragraph of the index, ending in a newline.
	Stanza string `json:"stanza"`
}

// Source names an archive's part.
type Source struct {
	Mirror     string // URL, no trailing slash
	Suite      string
	Arch       string
	Components []string
	Keyring    string // absolute path
}

// FetchHints is what fetching needs to know of this host. It cannot change the
// result, as every file is checked against its hash.
type FetchHints struct {
	Mirror string `json:"mirror"` // URL, no trailing slash
	// Cache is the content-addressed folder of downloaded packages, on the same
	// file system as the step's output.
	Cache   string      `json:"cache"`
	Proxies [][2]string `json:"proxies,omitempty"`
}
