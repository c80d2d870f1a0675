package debian

import (
	"fmt"
	"net/url"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/treefs"
)

// mostCertificates is how long a file with certificates may be, in bytes.
const mostCertificates = 4 << 20

// trust lets a client believe the servers of some URLs by the authorities in a file,
// and by no others.
func trust(client *download.Client, file string, urls ...string) error {
	pem, err := treefs.ReadFile(file, mostCertificates)
	if err != nil {
		return err
	}
	if !sayable("", file) {
		return fmt.Errorf("the path %q of a file with certificates has a character that apt.conf cannot have", file)
	}
	for _, at := range urls {
		if u, err := url.Parse(at); err == nil && !client.Trust(u.Hostname(), pem) {
			return fmt.Errorf("the file %s has no certificate in PEM form", file)
		}
	}
	return nil
}

// authorityConf are apt's settings for the same. What apt-transport-https(1) calls
// CAInfo::HOST is HOST::CaInfo in truth.
func authorityConf(s distro.Source) string {
	conf := ""
	for _, at := range s.URLs() {
		if u, err := url.Parse(at); err == nil && s.CA != "" {
			conf += aptOption("Acquire::https::"+u.Hostname()+"::CaInfo", s.CA)
		}
	}
	return conf
}
