package build

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/publish"
)

// Clean describes what is to be removed, and whom to tell.
type Clean struct {
	// Name is a flavour's, or what a cname was called when it was built. It need
	// not be in the tree any more.
	Name string
	// History removes a flavour's repository as well, with the history that the
	// next build continues. It is asked first if there are commits, and keeps all
	// by false; nil keeps the history.
	History func(dir string, commits int) (bool, error)
	// Say is called with what is waited for; it may be nil.
	Say func(kind event.Kind, line string)
}

// Cleaned describes what Clean did.
type Cleaned struct {
	// Nothing means that there was nothing to remove, and Refused that nothing was
	// to be; History that the history is gone.
	Nothing, Refused, History bool
	// Kept is where the history is that stays, "" for none.
	Kept string
}

// MayClean reports whether there is anything by a name that Clean may remove.
func (b *Builder) MayClean(name string) bool {
	output := publish.OutputOf(b.options.Output, name)
	_, err := os.Lstat(output.Public) // of a cname it is a link
	return err == nil || exists(output.Private)
}

// Clean removes what was built.
func (b *Builder) Clean(ctx context.Context, q Clean) (Cleaned, error) {
	// A name with other characters could lead out of the output, or be all of it.
	if !config.IsFlavourName(q.Name) {
		return Cleaned{}, diag.Requestf("%q is not a name of a flavour", q.Name)
	}
	if q.Say == nil {
		q.Say = func(event.Kind, string) {}
	}
	claim := func(output publish.Output) (func(), error) { return Claim(ctx, output, q.Name, q.Say) }
	for _, r := range b.allRules() {
		if done, err := r.Clean(b.options.Output, q.Name, claim); done || err != nil {
			return Cleaned{}, err
		}
	}
	output := publish.OutputOf(b.options.Output, q.Name)
	if !exists(output.Public) && !exists(output.Private) {
		return Cleaned{Nothing: true}, nil
	}
	unlock, err := Claim(ctx, output, q.Name, q.Say)
	if err != nil {
		return Cleaned{}, err
	}
	defer unlock()
	if q.History != nil {
		return cleanHistory(output, q)
	}
	return cleanArtifacts(output, q.Name)
}

// cleanHistory removes all that there is of a flavour.
func cleanHistory(output publish.Output, q Clean) (Cleaned, error) {
	commits, err := layer.Glob(output.Public, "*/objects/??/*.commit")
	if err != nil {
		return Cleaned{}, err
	}
	if len(commits) > 0 {
		if yes, err := q.History(output.Public, len(commits)); err != nil || !yes {
			return Cleaned{Refused: true}, err
		}
	}
	return Cleaned{History: true}, errors.Join(os.RemoveAll(output.Public), os.RemoveAll(output.Private))
}

// cleanArtifacts removes what the manifest lists, but no repository.
func cleanArtifacts(output publish.Output, name string) (done Cleaned, err error) {
	m, err := publish.ReadManifest(output)
	if err != nil {
		return done, diag.Suggest(err, "clean --history "+name, fmt.Sprintf("removes all of %s, with its history", output.Public))
	}
	for _, a := range m.Artifacts {
		path := filepath.Join(output.Public, a.Name)
		if a.Kind == plan.RepositoryArtifact {
			done.Kept = path
			continue
		}
		if !filepath.IsLocal(a.Name) {
			continue
		}
		if err := os.RemoveAll(path); err != nil {
			return done, err
		}
	}
	for _, name := range []string{publish.SumsName, publish.SumsName + publish.SignatureSuffix, publish.KeysName, publish.SummaryName} {
		if err := os.RemoveAll(filepath.Join(output.Public, name)); err != nil {
			return done, err
		}
	}
	if err := errors.Join(os.RemoveAll(output.Manifest()+publish.SignatureSuffix), os.RemoveAll(output.Logs()), os.RemoveAll(output.Records())); err != nil {
		return done, err
	}
	return done, os.Remove(output.Manifest())
}
