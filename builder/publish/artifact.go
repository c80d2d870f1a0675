package publish

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/plan"
)

// artifact stages one artifact of a result.
func (f *Finished) artifact(ctx context.Context, p *publication, r layer.Result, a plan.Artifact, output Output) error {
	switch a.Kind {
	case plan.RepositoryArtifact:
		return f.repository(ctx, p, r, a, output)
	case plan.DeltasArtifact, plan.PoolArtifact: // with the repository, or after it
		return nil
	}
	c := copied{HandedOut: layer.HandedOut{
		Path: filepath.Join(output.Public, a.Name), Record: output.record(a.Name), Of: r.Index + "/" + a.Path,
	}, known: map[string]string{}}
	signature, verity, err := f.signature(ctx, r, a, c.Path)
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	if signature != nil {
		c.Of += fmt.Sprintf(" signed %x", sha256.Sum256(signature))
	}
	for _, file := range r.Files {
		if file.Name == a.Name && file.SHA256 != "" && signature == nil {
			c.known["."] = file.SHA256
		}
	}
	p.places[a.Name] = c.Path
	same, edited, err := c.Same()
	switch {
	case err == nil && same && signature != nil:
		return f.Manifest.noteSigned(a.Name, c.Path)
	case err != nil || same:
		return err
	}
	if edited != "" && f.Say != nil {
		// Users may know the file by another name.
		edited = strings.Replace(edited, c.Path, f.names().Path(output, a.Name), 1)
		f.Say(edited + "; it was replaced by the built one")
	}
	if err := f.check(r.Key, f.Store.Check); err != nil {
		return err
	}
	tmp, err := p.stage(c.Path)
	if err != nil {
		return err
	}
	p.places[a.Name] = tmp
	p.copies = append(p.copies, c)
	if err := f.copy(r.Key, a, tmp); err != nil || signature == nil {
		return err
	}
	if err := writeAt(tmp, signature, verity.SignatureAt); err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	return f.Manifest.noteSigned(a.Name, tmp)
}

// copy copies an artifact of the result under a key.
func (f *Finished) copy(key string, a plan.Artifact, to string) error {
	data, err := f.Store.Open(key)
	if err != nil {
		return err
	}
	from := filepath.Join(data, a.Path)
	if a.Kind == plan.DirArtifact {
		if err := layer.CopyTree(from, to); err != nil {
			return err
		}
		return f.closeDir(a.Name, to)
	}
	return layer.Copy(from, to)
}

// closeDir keeps others out of a directory with a program that has more rights
// than the user who starts it: on this machine nobody has installed or
// updates it.
func (f *Finished) closeDir(name, dir string) error {
	found := errors.New("found")
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		_, err = unix.Lgetxattr(path, "security.capability", nil)
		if info.Mode()&(fs.ModeSetuid|fs.ModeSetgid) == 0 && err != nil {
			return nil
		}
		if f.Say != nil {
			f.Say(fmt.Sprintf("%s has a program that runs with more rights than its user's (%s), so the directory is open to its owner only", name, strings.TrimPrefix(path, dir)))
		}
		return found
	})
	if errors.Is(err, found) {
		return os.Chmod(dir, 0o700)
	}
	return err
}

// repository stages a repository. Its objects may be links into the cache: they
// are looked at in each build, and one that was changed is made again.
func (f *Finished) repository(ctx context.Context, p *publication, r layer.Result, a plan.Artifact, output Output) error {
	to := filepath.Join(output.Public, a.Name)
	data, err := f.Store.Open(r.Key)
	if err != nil {
		return err
	}
	deltas, err := f.deltas(a.Name)
	if err != nil {
		return err
	}
	staged, err := ostree.Stage(ctx, ostree.Made{Repo: filepath.Join(data, a.Path), Deltas: deltas}, to, ostree.RecordPath(output.Private, to), f.Checked)
	if err != nil {
		var damage *layer.Damage
		if derr := f.check(r.Key, f.Store.Verify); errors.As(derr, &damage) {
			return derr
		}
		return err
	}
	if err := f.signRepository(ctx, staged); err != nil {
		return errors.Join(err, staged.Discard())
	}
	if !staged.Unchanged() {
		p.repositories = append(p.repositories, staged)
	}
	return nil
}

// deltas is the directory with the static deltas of a repository; "" if none were asked for.
func (f *Finished) deltas(repository string) (string, error) {
	for _, s := range f.Graph.Steps() {
		for _, a := range s.Artifacts {
			if a.Kind != plan.DeltasArtifact || a.Name != repository {
				continue
			}
			key := f.Graph.Key(s.ID)
			if err := f.check(key, f.Store.Check); err != nil {
				return "", err
			}
			data, err := f.Store.Open(key)
			return filepath.Join(data, a.Path), err
		}
	}
	return "", nil
}

// check makes sure that a result is good before it is published.
func (f *Finished) check(key string, check func(string) error) error {
	err := check(key)
	var damage *layer.Damage
	if errors.As(err, &damage) {
		return errors.Join(err, f.Store.Condemn(damage))
	}
	return err
}
