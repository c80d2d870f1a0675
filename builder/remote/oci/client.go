package oci

import (
	"net/http"
	"os"
	"path/filepath"

	"oras.land/oras-go/v2/registry"
	client "oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/remote"
)

// cache is a repository of a registry.
type cache struct {
	at      registry.Reference
	plain   bool
	dir     string
	limits  limits
	servers *hosts
	client  *auth.Client
	repo    *client.Repository
}

// Open returns the cache in a repository of a registry. It does not send a request yet. Results are compressed in the directory
// dir before they are put, in files that do not have a name.
//
// A registry on this machine is asked by plain HTTP, unless access has an authority or a client certificate. All others are asked by HTTPS.
// The user and password come from the file that REGISTRY_AUTH_FILE names, which is podman's, or else from docker's
// configuration (DOCKER_CONFIG, or ~/.docker), with its programs for credentials.
func Open(access remote.Access, dir string) (remote.Cache, error) {
	c, err := open(access, dir, usual)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func open(access remote.Access, dir string, l limits) (*cache, error) {
	at, err := parse(access.URL)
	if err != nil {
		return nil, err
	}
	if access.Helper != "" {
		return nil, diag.Requestf("the remote cache %s%s: registries do not use the credential helper %s, but docker's configuration: docker login %s", scheme, at, access.Helper, at.Registry)
	}
	servers, err := newHosts(at.Host(), access, l)
	if err != nil {
		return nil, err
	}
	login, err := logins()
	if err != nil {
		return nil, err
	}
	c := &cache{at: at, dir: dir, limits: l, servers: servers}
	c.plain = loopback(at.Registry) && access.Authority == "" && access.Certificate == ""
	c.client = &auth.Client{
		Client:     &http.Client{Transport: &twice{servers, l.pause}, CheckRedirect: download.CheckRedirect},
		Header:     http.Header{"User-Agent": {"treewright"}},
		Cache:      auth.NewCache(),
		Credential: login,
		ClientID:   "treewright",
	}
	c.repo = &client.Repository{Client: c.client, Reference: at, PlainHTTP: c.plain, MaxMetadataBytes: mostManifest}
	return c, nil
}

// logins returns the stores of the users and passwords of registries.
func logins() (auth.CredentialFunc, error) {
	var stores []credentials.Store
	add := func(path string) error {
		store, err := credentials.NewStore(path, credentials.StoreOptions{})
		if err != nil {
			return diag.Requestf("the log-ins to registries: %v", err)
		}
		stores = append(stores, store)
		return nil
	}
	if path := os.Getenv("REGISTRY_AUTH_FILE"); path != "" {
		if _, err := os.Stat(path); err != nil {
			return nil, diag.Requestf("the log-ins to registries, which REGISTRY_AUTH_FILE names: %v", err)
		}
		if err := add(path); err != nil {
			return nil, err
		}
	}
	dir := os.Getenv("DOCKER_CONFIG")
	if home, err := os.UserHomeDir(); dir == "" && err == nil {
		dir = filepath.Join(home, ".docker")
	}
	if dir != "" {
		if err := add(filepath.Join(dir, "config.json")); err != nil {
			return nil, err
		}
	}
	if len(stores) == 0 {
		return nil, nil
	}
	return credentials.Credential(credentials.NewStoreWithFallbacks(stores[0], stores[1:]...)), nil
}

// Close implements [remote.Cache].
func (c *cache) Close() error {
	c.servers.close()
	return nil
}
