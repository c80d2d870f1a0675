package distro

import (
	"context"
	"fmt"
	"io"

	"github.com/treewright/treewright/builder/download"
)

// Distro is a family of distributions: what is known of its archives, and how its
// packages get into a tree.
type Distro interface {
	// Name is what flavours and steps call the family.
	Name() string
	Machine
	StepInputs
	Trees
	Changelogs
	Security
	Pools
}

// Security is how known faults of a family's packages are found.
type Security interface {
	// TrackerURL is where the family's security tracker has its data, and Issues reads
	// them: the faults of source packages that are wanted, as they are in a release,
	// which is given by its code name.
	TrackerURL() string
	Issues(r io.Reader, release string, wanted func(source string) bool) ([]Issue, error)
}

// Machine is what a family needs of the machine that builds, before there is a
// plan.
type Machine interface {
	// Programs are those that this machine must have.
	Programs() []Program
	// Emulators are programs by which a machine runs those of another architecture, any
	// one of which will do; nil if the family has none.
	Emulators(arch string) []Program
	// HostFiles are files and directories of this machine, beside its programs, that
	// those read which steps run.
	HostFiles() []string
	// Bootstrapper returns the version of the program of this machine that
	// bootstraps, the only program of the host that results depend on.
	Bootstrapper(ctx context.Context) (string, error)
	// Access finds out how this machine reaches archives. auth are files with names
	// and passwords for servers, which go before the machine's own.
	Access(ctx context.Context, auth []string) (Access, error)
	// CheckAuth describes what is wrong with such a file.
	CheckAuth(file string) error
	// CheckKeyring describes what is wrong with a file that is to hold the keys of an
	// archive's owner.
	CheckKeyring(file string) error
	// MachineSources reads the sources of packages of the machine with the root directory root, as its own programs do. The first one is called
	// [MainSource]. Keyrings are absolute paths here; keep writes the text of a keyring to a file, and returns its path. Sources that are not used are
	// in notes, with the reason.
	MachineSources(root string, keep func(text string) (string, error)) (all []Source, notes []string, err error)
	// Local reads a package from a file. The error is a [*LocalError] if the file is
	// at fault.
	Local(ctx context.Context, file string) (Archived, error)
	// Demand returns how many bytes of the packages in an index (as
	// [Closure.Index] writes it) have to be downloaded, by have, which is asked for
	// each one's SHA-256, and how many they say that they take installed.
	Demand(index []byte, have func(sha256 string) bool) (download, installed int64)
}

// StepInputs are what a family's steps are planned with.
type StepInputs interface {
	// DefaultKeyring is the path of the keys that sign the family's archive, on a
	// machine and in a tree alike.
	DefaultKeyring() string
	// Tools are the packages with the programs for a purpose; nil if the family has
	// none for the architecture.
	Tools(purpose Purpose, arch string) []Want
	// Data are those of the packages in Tools that have files for the architecture and
	// no program: tools of any other architecture read them.
	Data(arch string) []Want
	// Elsewhere reports whether the tools for a purpose have to come from another suite
	// than the system's, of whose packages they were resolved to these: it returns
	// that suite, "" if these will do.
	Elsewhere(purpose Purpose, resolved []Package) (suite string)
	// Lacks describes what the tools for a purpose lack: of the packages resolved or, if
	// these are nil, of those that a suite is known to have by its name. It returns
	// "" if nothing is known against them.
	Lacks(purpose Purpose, suite string, resolved []Package) string
	// Brings are patterns of packages (path.Match) that bring an interpreter of scripts
	// or need it, first the name of the one to ask for; nil if each tree has it, or
	// nothing is known of it.
	Brings(program string) []string
	// Kernel reports whether a package, by its name, brings a kernel or depends on one that does.
	Kernel(name string) bool
	// Dependencies are the names of packages that a package depends on, of
	// alternatives all.
	Dependencies(p Archived) []string
	// Recommended are those of packages that it recommends, likewise, and Provided the
	// names that it has beside its own.
	Recommended(p Archived) []string
	Provided(p Archived) []string
	// Within returns the packages of all that a tree of an architecture has, which holds those of
	// have, after the wanted ones were installed in it with all that they need. ok is false if that
	// cannot be known without the solver.
	Within(arch string, all, have *Closure, wants []Want) (within *Closure, ok bool)
	// BootstrapVersion is raised when Bootstrap would give another tree, and
	// InstallVersion when Install would.
	BootstrapVersion() int
	InstallVersion() int
}

// Trees is what steps do with a family's packages.
type Trees interface {
	// Fetch makes the directory out into a repository of the packages that an index
	// lists, each checked against its size and hash. It returns the newest build
	// date of the packages, in seconds since 1970. Tries that fail are reported to say.
	Fetch(ctx context.Context, index []byte, out string, h FetchHints, progress func(done, total int64), say func(string)) (epoch int64, err error)
	// Bootstrap fills an empty tree with packages by programs of this machine. The
	// first architecture is the tree's.
	Bootstrap(ctx context.Context, w Work, archs []string, names []string) error
	// Install installs the wanted packages in a prepared tree (sandbox.PrepareRoot)
	// by its own programs. Then the tree must hold exactly the packages expected,
	// and those that scripts had put there before; anything else is an error.
	Install(ctx context.Context, w Work, wants []Want, expected []Package) error
	// SourceFiles are the files by which a machine knows sources, except
	// the list of [MainSource], by their absolute paths in the tree. Keyrings and
	// authorities are paths there.
	SourceFiles(sources []Source) map[string]string
	// Unpack lays the files of all packages of the repository over a prepared tree, by
	// the tree's own programs. No script of the packages is run, and the tree's account of
	// packages does not have them.
	Unpack(ctx context.Context, w Work) error
	// Database is how a tree keeps account of its packages.
	Database() Database
	// Leavings are what programs that install packages, or that they start, leave
	// in /var and no machine should start with: patterns (path.Match), relative to
	// /var.
	Leavings() []string
}

// Program is a program, and the package that brings it.
type Program struct{ Name, Package string }

// Access is how a machine reaches archives, by its own configuration.
type Access interface {
	// String describes it for the user; "" if there is nothing special.
	String() string
	// Conf is the same as programs in a tree read it.
	Conf() string
	// Proxies are the settings of proxies, for [FetchHints].
	Proxies() [][2]string
	// Secrets are the paths of the files with names and passwords, for [FetchHints].
	Secrets() []string
	// Client returns a client that keeps to it. Tries that fail are reported to say.
	Client(t download.Timing, say func(string)) *download.Client
	// Open makes the indices of an archive current.
	Open(ctx context.Context, o ArchiveOptions) (Archive, error)
	// Only returns an archive that has these packages and no others. Nothing is asked for; of the options Arch,
	// MoreArchs and Cache count.
	Only(o ArchiveOptions, packages []Archived) (Archive, error)
}

// ArchiveOptions are what an archive is opened with.
type ArchiveOptions struct {
	// Sources are the sources that packages are chosen from. Of packages that differ
	// in nothing, those of the first source are taken.
	Sources []Source
	// Arch is the architecture of the system, and MoreArchs are others whose packages
	// can be installed as well.
	Arch      string
	MoreArchs []string
	// Cache is the directory below which indices and answers are kept.
	Cache  string
	Client *download.Client
	// Offline keeps from asking for news: the indices of an earlier call are used.
	Offline bool
}

// Archive is an opened package archive.
type Archive interface {
	// Resolve returns the exact packages that are there when those wanted are
	// installed on top of others; of nil, what every tree has. The error is an
	// [*UnknownError] or an [*UnsolvableError] if the wants are at fault.
	Resolve(ctx context.Context, on *Closure, wants []Want) (*Closure, error)
	// Index has all packages.
	Index(ctx context.Context) (Index, error)
	// Offers are all versions of a package that can be chosen, in the order of the
	// sources.
	Offers(ctx context.Context, name string) ([]Archived, error)
	// Holding returns the archive as if it had these packages as well. They are chosen in
	// these versions, unless another one is asked for.
	Holding(held []Archived) Archive
	// Releases are the signed files that all of it hangs on, in the order of the
	// sources.
	Releases() []Release
}

// Work is a tree that is being made.
type Work struct {
	// Root is the tree, and Repo a repository that Fetch made.
	Root, Repo string
	// Env is the whole environment of the packages' scripts.
	Env map[string]string
	// Earlier are packages that an installation before this one has left there, or has warned of.
	Earlier []Package
	// Log takes what programs say; Warn gets what the user has to know.
	Log  io.Writer
	Warn func(format string, args ...any)
}

// Purpose is what tools are for. Each purpose has a tools layer of its own, so
// that a program that one of them needs changes the keys of no other.
type Purpose string

// The purposes, by what runs the tools.
const (
	ForCommit Purpose = "commit"
	// ForModules is for decompressing kernel modules.
	ForModules Purpose = "commit-modules"
	ForImage   Purpose = "image"
	// ForBootLoader is a part of ForImage, and in its layer unless these tools are
	// from another suite than the system ([StepInputs.Elsewhere]).
	ForBootLoader Purpose = "boot-loader"
	ForExtension  Purpose = "extension"
	// ForVerity is for extensions as discoverable disk images.
	ForVerity   Purpose = "extension-verity"
	ForScripts  Purpose = "script" // a feature's, outside of the tree
	ForMachines Purpose = "machine"
	// ForClock is for programs that are to see another time, see [sandbox.MoveClock].
	ForClock Purpose = "clock"
)

// Families are the families of distributions that there are.
type Families []Distro

// Of returns the family of that name.
func (fs Families) Of(name string) (Distro, error) {
	for _, f := range fs {
		if f.Name() == name {
			return f, nil
		}
	}
	return nil, fmt.Errorf("no family of distributions is called %q", name)
}
