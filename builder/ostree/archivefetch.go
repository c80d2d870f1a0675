package ostree

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/treefs"
)

var errNoArchive = errors.New("the tarball does not exist (404)")

// fetchArchive downloads the tarball source into a file below cache.
func (n Names) fetchArchive(ctx context.Context, client *download.Client, source, cache string) (string, error) {
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	var tarball string
	err := client.Try(ctx, "download "+source, func() (err error) {
		tarball, err = n.fetchOnce(ctx, client, source, cache)
		return err
	})
	if download.NotFound(err) {
		return "", errNoArchive
	}
	if err != nil {
		return "", fmt.Errorf("download %s: %w", source, err)
	}
	return tarball, nil
}

func (n Names) fetchOnce(ctx context.Context, client *download.Client, source, cache string) (path string, err error) {
	body, err := client.Open(ctx, source)
	if err != nil {
		return "", err
	}
	defer body.Close()
	room, err := layer.FreeSpace(cache)
	if err != nil {
		return "", err
	}
	if room -= spareRoom; body.Length > room {
		return "", download.Permanent(fmt.Errorf("it has %d MiB, and the disk with %s has space for %d MiB", body.Length>>20, cache, max(room, 0)>>20))
	}
	out, err := os.CreateTemp(cache, ".archive-*")
	if err != nil {
		return "", err
	}
	defer func() {
		out.Close()
		if err != nil {
			os.Remove(out.Name())
		}
	}()
	h := sha256.New()
	length, err := io.Copy(io.MultiWriter(out, h), io.LimitReader(body, max(room, 0)+1))
	if err != nil {
		return "", fmt.Errorf("after %d bytes: %w", length, err)
	}
	if length > room {
		return "", download.Permanent(fmt.Errorf("the disk with %s has space for %d MiB, and it is larger", cache, max(room, 0)>>20))
	}
	return out.Name(), n.checkSum(ctx, client, source, hex.EncodeToString(h.Sum(nil)))
}

// mostSums is how long a SHA256SUMS may be, in bytes.
const mostSums = 1 << 20

// checkSum compares with the SHA256SUMS beside source, which has to be signed if there are
// keys. Only a 404 means that it does not exist. If it exists, it has to list the file.
func (n Names) checkSum(ctx context.Context, client *download.Client, source, got string) error {
	i := strings.LastIndex(source, "/")
	list, name := source[:i]+"/SHA256SUMS", source[i+1:]
	body, err := client.Open(ctx, list)
	if download.NotFound(err) {
		if n.Keys != nil && !n.Unsigned {
			return download.Permanent(fmt.Errorf("%s does not exist, so the tarball is not signed; %s", list, allowUnsigned))
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", list, err)
	}
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, mostSums+1))
	if err != nil {
		return fmt.Errorf("%s: %w", list, err)
	}
	if len(text) > mostSums {
		return download.Permanent(fmt.Errorf("%s: longer than a list of checksums may be (%d bytes)", list, mostSums))
	}
	if err := n.checkSignature(ctx, client, list, text); err != nil {
		return err
	}
	want, err := sumOf(text, name)
	if err != nil {
		return download.Doubtful(fmt.Errorf("%s: %w", list, err))
	}
	if want != got {
		return download.Doubtful(fmt.Errorf("wrong checksum: SHA-256 is %s, but %s has %s", got, list, want))
	}
	return nil
}

// unpackHistory unpacks a repository tarball below cache and reads it.
func (n Names) unpackHistory(ctx context.Context, tarball, cache, from string, look Lookout) (History, error) {
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return History{}, fmt.Errorf("look for history: %w", err)
	}
	sum, err := digestFile(tarball)
	if err != nil {
		return History{}, fmt.Errorf("look for history: %w", err)
	}
	dir := filepath.Join(cache, sum)
	if !treefs.Exists(dir) {
		tmp, err := os.MkdirTemp(cache, ".unpack-*")
		if err != nil {
			return History{}, fmt.Errorf("look for history: %w", err)
		}
		defer os.RemoveAll(tmp)
		within, err := boundsOf(tarball, tmp)
		if err != nil {
			return History{}, fmt.Errorf("look for history: %w", err)
		}
		if err := unpack(tarball, tmp, within); err != nil {
			return History{}, fmt.Errorf("look for history: %s is incomplete or damaged: %w", from, err)
		}
		if err := layer.Sync(tmp); err != nil {
			return History{}, fmt.Errorf("look for history: %w", err)
		}
		if err := os.Rename(tmp, dir); err != nil && !treefs.Exists(dir) {
			return History{}, fmt.Errorf("look for history: %w", err)
		}
	}
	repo, err := Open(dir)
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
