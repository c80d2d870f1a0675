package lint

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// certificates is where ostree's curl, and Debian's other programs, look for
// whom to believe.
const certificates = "etc/ssl/certs/ca-certificates.crt"

// ChecksCertificates reports whether machines that follow a URL check who answers.
func ChecksCertificates(remoteURL string) bool {
	return strings.HasPrefix(remoteURL, "https:")
}

// Certificates finds that a machine could not tell who answers by https.
func Certificates(tree string) error {
	if info, err := os.Stat(filepath.Join(tree, "usr", certificates)); err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return errors.New("this tree cannot be committed: machines that upgrade from remote_url by https have no /" + certificates +
			" to check the server's certificate, so each upgrade would fail; include the package ca-certificates")
	}
	return nil
}
