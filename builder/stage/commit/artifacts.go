package commit

import (
	"strings"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/plan"
)

// Names are the names that follow from the parameters of the feature with
// the commit stage; false if the system has none.
func Names(spec *compose.Spec) (ostree.Names, bool) {
	f := spec.StageFeature("commit")
	if f == nil {
		return ostree.Names{}, false
	}
	value := func(name string) string { return spec.Parameters[f.Name][name].String() }
	arch := spec.Flavour.Distribution.Arch
	n := ostree.Names{OSName: value("os_name"), Ref: value("ref"), ArchiveURL: strings.TrimRight(value("archive_url"), "/")}
	n.Repo = n.OSName + "-repo-" + arch
	n.Archive = "ostree-" + n.OSName + "-repo-" + arch + ".tar.gz"
	n.FirstCommit = spec.Parameters[f.Name]["first_commit"].Bool()
	return n, true
}

// archiveParameter is the one of the feature with the commit stage that turns the tarball off. A
// feature that does not declare it has one.
const archiveParameter = "archive"

// packs reports whether a flavour has a tarball of its repository.
func packs(spec *compose.Spec) bool {
	v, declared := spec.StageParameter("commit", archiveParameter)
	return !declared || v.Bool()
}

// Artifacts are those that the stage makes of a flavour.
func Artifacts(spec *compose.Spec) []plan.Artifact {
	names, ok := Names(spec)
	if !ok {
		return nil
	}
	if !packs(spec) {
		return []plan.Artifact{repositoryOf(names)}
	}
	return []plan.Artifact{repositoryOf(names), archiveOf(names)}
}

func repositoryOf(names ostree.Names) plan.Artifact {
	return plan.Artifact{Name: names.Repo, Path: "repo", Kind: plan.RepositoryArtifact, Description: "the OSTree repository that machines pull " + names.Ref + " from"}
}

func archiveOf(names ostree.Names) plan.Artifact {
	return plan.Artifact{Name: names.Archive, Path: names.Archive, Kind: plan.FileArtifact, Description: "the repository as one file, for other builders"}
}
