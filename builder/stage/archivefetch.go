package stage

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

var errNoArchive = errors.New("the archive is not there (404)")

// download fetches source into a file below cache.
func download(ctx context.Context, client *http.Client, source, cache string) (string, error) {
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	out, err := os.CreateTemp(cache, ".archive-*")
	if err != nil {
		return "", err
	}
	defer out.Close()
	remove := func(err error) (string, error) {
		os.Remove(out.Name())
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, source, nil)
	if err != nil {
		return remove(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		var unwrapped *url.Error
		if errors.As(err, &unwrapped) {
			err = unwrapped.Err
		}
		return remove(fmt.Errorf("download %s: %w", source, err))
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return remove(errNoArchive)
	default:
		return remove(fmt.Errorf("download %s: the server answers %s", source, resp.Status))
	}
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, h), resp.Body)
	if err != nil {
		return remove(fmt.Errorf("download %s: after %d bytes: %w", source, n, err))
	}
	if err := checkSum(ctx, client, source, hex.EncodeToString(h.Sum(nil))); err != nil {
		return remove(err)
	}
	return out.Name(), nil
}

// checkSum compares with the SHA256SUMS beside source, if the server has one.
func checkSum(ctx context.Context, client *http.Client, source, got string) error {
	i := strings.LastIndex(source, "/")
	list, name := source[:i]+"/SHA256SUMS", source[i+1:]
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, list, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("download %s: %w", list, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNotFound {
		return nil
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("download %s: the server answers %s", list, resp.Status)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("download %s: %w", list, err)
	}
	for _, line := range strings.Split(string(text), "\n") {
		sum, file, ok := strings.Cut(line, " ")
		if ok && strings.TrimLeft(file, " *") == name && sum != got {
			return fmt.Errorf("download %s: wrong checksum: SHA-256 is %s, but %s says %s", source, got, list, sum)
		}
	}
	return nil
}

// unpackHistory unpacks a repository tarball below cache and reads it.
func (n commitNames) unpackHistory(ctx context.Context, tarball, cache, from string, look Lookout) (History, error) {
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return History{}, fmt.Errorf("look for history: %w", err)
	}
	sum, err := digestFile(tarball)
	if err != nil {
		return History{}, fmt.Errorf("look for history: %w", err)
	}
	dir := filepath.Join(cache, sum)
	if !exists(dir) {
		tmp, err := os.MkdirTemp(cache, ".unpack-*")
		if err != nil {
			return History{}, fmt.Errorf("look for history: %w", err)
		}
		defer os.RemoveAll(tmp)
		if err := unpack(tarball, tmp); err != nil {
			return History{}, fmt.Errorf("look for history: %s is not whole: %w", from, err)
		}
		if err := os.Rename(tmp, dir); err != nil && !exists(dir) {
			return History{}, fmt.Errorf("look for history: %w", err)
		}
	}
	repo, err := openRepository(dir)
	if err != nil {
		return History{}, fmt.Errorf("look for history: %s: %w", from, err)
	}
	look.Records = cache
	return n.readHistory(ctx, repo, from, look)
}

func digestFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// unpack unpacks files and folders of a .tar.gz, up to its proper end, below
// dir. Whatever else is in there, or would land outside, is an error.
func unpack(tarball, dir string) error {
	f, err := os.Open(tarball)
	if err != nil {
		return err
	}
	defer f.Close()
	gz, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	tr := tar.NewReader(gz)
	for {
		head, err := tr.Next()
		if errors.Is(err, io.EOF) {
			// The checksum at the very end is read here.
			_, err = io.Copy(io.Discard, gz)
			return err
		}
		if err != nil {
			return err
		}
		name := filepath.Clean(strings.TrimPrefix(head.Name, "./"))
		switch head.Typeflag {
		case tar.TypeDir:
			err = root.MkdirAll(name, 0o755)
		case tar.TypeReg:
			err = unpackFile(root, name, tr)
		default:
			err = fmt.Errorf("%s is neither file nor folder", head.Name)
		}
		if err != nil {
			return err
		}
	}
}

func unpackFile(root *os.Root, name string, r io.Reader) error {
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	out, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, r); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}
