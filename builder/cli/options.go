package cli

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/cache"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/rules"
)

// versionOption shows the program's version, unless it is an option of the verb.
const versionOption = "version"

// newFlags declares the options of a verb.
func newFlags(v *verb, o *options) *pflag.FlagSet {
	o.other = build.Other()
	f := pflag.NewFlagSet(v.name, pflag.ContinueOnError)
	f.SortFlags = false
	f.Usage = func() {}
	f.BoolVarP(&o.help, "help", "h", false, "show this help")
	f.StringVarP(&o.dir, "directory", "C", os.Getenv("TREEWRIGHT_DIRECTORY"), "the configuration tree: the `DIRECTORY` with flavours/ and features/ (default: "+usualTree()+"; also $TREEWRIGHT_DIRECTORY)")
	f.StringVar(&o.cache, "cache", os.Getenv("TREEWRIGHT_CACHE"), "the `DIRECTORY` where layers and downloads are kept (default: .cache in the tree; also $TREEWRIGHT_CACHE)")
	f.StringVar(&o.budget, "cache-budget", os.Getenv("TREEWRIGHT_CACHE_BUDGET"), "the `SIZE` that the cache may have: 20G, 30% of its disk, or none for no limit (default: a quarter of the disk, at least 8 GiB; also $TREEWRIGHT_CACHE_BUDGET)")
	f.StringVar(&o.output, "output", "", "the `DIRECTORY` where artifacts go (default: .build in the tree)")
	f.StringArrayVar(&o.vars, "var", nil, "set the variable of the flavour files, `NAME=VALUE`; may be repeated (also $TREEWRIGHT_VAR_NAME)")
	f.StringArrayVar(&o.secrets, "secret", nil, "the file of a secret, `NAME=FILE`: one that a secret parameter of a feature names, or auth, the passwords of package archives as in apt_auth.conf(5); may be repeated (also $TREEWRIGHT_SECRET_NAME)")
	f.BoolVar(&o.offline, "offline", false, "do not update the package indices: use those of an earlier build")
	if v.flags != nil {
		v.flags(f, o)
	}
	if f.Lookup(versionOption) == nil {
		f.BoolVar(&o.version, versionOption, false, "show the version")
		_ = f.MarkHidden(versionOption) // the flag exists
	}
	return f
}

// runFlags are the options of verbs that run steps.
func runFlags(f *pflag.FlagSet, o *options) {
	progressFlags(f, o)
	planFlags(f, o)
	f.BoolVar(&o.remote.Push, "remote-push", false, "put results that are made here into the remote cache")
	f.StringVar(&o.exec.URL, "remote-exec", os.Getenv("TREEWRIGHT_REMOTE_EXEC"), "run steps on the workers of the server at this `URL`: "+config.RemoteExecForms+"; none turns this off (default: the URL in treewright.hcl; also $TREEWRIGHT_REMOTE_EXEC)")
	f.StringArrayVar(&o.exec.Platform, "remote-platform", nil, "a property that workers must have, `[ARCHITECTURE:]NAME=VALUE`, in addition to OSFamily and ISA; NAME= leaves a property out; may be repeated")
	f.StringArrayVar(&o.exec.Programs, "remote-program", nil, "this program for workers of another architecture, `ARCHITECTURE=FILE`; may be repeated")
	f.Var(amount{&o.remote.Verify, 0, "percent, up to 100"}, "verify-remote", "how many percent of the results that come from the remote cache are made here again and compared (default: 0)")
	f.Var(amount{&o.memory, 1, "MiB of memory"}, "memory", "MiB of memory that running steps may be expected to use together (default: the free memory)")
}

// progressFlags are the options for how a build is shown, and how it runs.
func progressFlags(f *pflag.FlagSet, o *options) {
	choiceVar(f, &o.progress, "progress", "how to show progress", event.Modes...)
	f.BoolVarP(&o.verbose, "verbose", "v", false, "show every line that steps write")
	f.BoolVar(&o.noShortcuts, "no-shortcuts", false, "run each step that has no result, even if nothing that it looked at in its last run has changed")
	f.VarP(amount{&o.jobs, 1, "a number of steps"}, "jobs", "j", "how many steps run at the same time, with --remote-exec on other machines (default: one per core, 16 on other machines)")
}

// planFlags are the options of verbs that plan steps.
func planFlags(f *pflag.FlagSet, o *options) {
	f.BoolVar(&o.rewind, "allow-rewind", false, "accept a history that was set back, and forget its former newest commit")
	f.BoolVar(&o.locked, "locked", false, "fail if the flavour has no lock")
	f.StringVar(&o.remote.URL, "remote-cache", os.Getenv("TREEWRIGHT_REMOTE_CACHE"), "take results from the cache at this `URL`, which other machines share: "+config.RemoteCacheForms+"; none turns this off (default: the URL in treewright.hcl; also $TREEWRIGHT_REMOTE_CACHE)")
	f.StringVar(&o.remote.Helper, "remote-helper", os.Getenv("TREEWRIGHT_REMOTE_HELPER"), "the `PROGRAM` that is asked for credentials of a gRPC server, by the protocol of Bazel's credential helpers (also $TREEWRIGHT_REMOTE_HELPER)")
	addFlags(f, o, rules.Planning)
	keyFlags(f, o)
}

// keyFlags are the options for the key that signs. Verbs that only plan have them too: without
// public keys in the flavour, machines get the public key of this key.
func keyFlags(f *pflag.FlagSet, o *options) {
	f.StringVar(&o.sign.Key, "sign-key", "", "sign with this `KEY`: a fingerprint that gpg knows, or a file with a private key (default: the one of the flavour's sign block)")
	f.StringVar(&o.sign.Home, "sign-home", "", "the `DIRECTORY` where gpg has the key (default: gpg's usual one)")
}

// signFlags are the options of verbs that publish.
func signFlags(f *pflag.FlagSet, o *options) {
	signerFlags(f, o)
	f.BoolVar(&o.sign.UnsignedHistory, "allow-unsigned-history", false, "accept a history from archive_url without a signature, once: it is signed when it is published")
}

// signerFlags are the options of verbs that publish, without the options about histories.
func signerFlags(f *pflag.FlagSet, o *options) {
	f.StringVar(&o.sign.Passphrase, "sign-passphrase-file", "", "the `FILE` with the key's passphrase (default: gpg's agent asks)")
	f.BoolVar(&o.sign.None, "no-sign", false, "publish without signatures, although the flavour names who signs")
}

// completeSigning makes paths absolute, and refuses options that contradict each other.
func (o *options) completeSigning() error {
	s := &o.sign
	switch {
	case s.None && s.Key != "":
		return usagef("--no-sign and --sign-key contradict each other")
	case s.Key == "" && s.Home != "":
		return usagef("--sign-home is where the key of --sign-key is; the home of the flavour's own key is in its sign block")
	case strings.HasPrefix(s.Key, "-"):
		return usagef("--sign-key takes a fingerprint or a file, not %q", s.Key)
	}
	var err error
	if _, serr := os.Stat(s.Key); serr == nil || strings.Contains(s.Key, "/") {
		if s.Key, err = filepath.Abs(s.Key); err != nil {
			return err
		}
	}
	for option, path := range map[string]*string{"--sign-home": &s.Home, "--sign-passphrase-file": &s.Passphrase} {
		if *path == "" {
			continue
		}
		if *path, err = filepath.Abs(*path); err != nil {
			return err
		}
		if _, err := os.Stat(*path); err != nil {
			return usagef("%s: %v", option, err)
		}
	}
	return nil
}

// checkServers finds faults in the options for servers before the build begins.
func (o *options) checkServers() error {
	if url := o.remote.URL; url != "" && url != build.NoRemote {
		if problem := config.RemoteCacheProblem(url); problem != "" {
			return usagef("--remote-cache or $TREEWRIGHT_REMOTE_CACHE: %q %s", url, problem)
		}
	}
	if url := o.exec.URL; url != "" && url != build.NoRemote {
		if problem := config.RemoteExecProblem(url); problem != "" {
			return usagef("--remote-exec or $TREEWRIGHT_REMOTE_EXEC: %q %s", url, problem)
		}
	}
	for _, text := range o.exec.Platform {
		if _, problem := config.ParseProperty(text); problem != "" {
			return usagef("--remote-platform %q %s", text, problem)
		}
	}
	return nil
}

// complete fills in what depends on other options.
func (o *options) complete() error {
	if o.dir == "" {
		o.dir = treeAround(".")
	}
	if _, err := cache.ParseBudget(o.budget); err != nil {
		return usagef("--cache-budget or $TREEWRIGHT_CACHE_BUDGET: %v", err)
	}
	if o.remote.Verify > 100 {
		return usagef("--verify-remote takes percent, up to 100, not %d", o.remote.Verify)
	}
	if err := o.checkServers(); err != nil {
		return err
	}
	if err := o.completeSigning(); err != nil {
		return err
	}
	var err error
	if o.dir, err = filepath.Abs(o.dir); err != nil {
		return err
	}
	if info, err := os.Stat(o.dir); err != nil || !info.IsDir() {
		if given := os.Getenv("TREEWRIGHT_DIRECTORY"); given != "" && filepath.Clean(given) == o.dir {
			return usagef("$TREEWRIGHT_DIRECTORY, %s, is not a directory", o.dir)
		}
		return usagef("%s is not a directory", o.dir)
	}
	for dir, fallback := range map[*string]string{&o.cache: ".cache", &o.output: ".build"} {
		if *dir == "" {
			*dir = filepath.Join(o.dir, fallback)
		} else if *dir, err = filepath.Abs(*dir); err != nil {
			return err
		}
	}
	return nil
}

// named splits the argument of an option that takes a name and a value, in the
// documented form.
func named(option, form string, given []string) (map[string]string, error) {
	values := map[string]string{}
	for _, v := range given {
		name, value, ok := strings.Cut(v, "=")
		if !ok || name == "" {
			return nil, usagef("%s takes %s, not %q", option, form, v)
		}
		values[name] = value
	}
	return values, nil
}

// secretFiles are the files of secrets by name. For a variable the last value counts,
// as a script may append an option to the options of another script; a secret with two files is a mistake.
func secretFiles(given []string) (map[string]string, error) {
	for i, v := range given {
		name, file, _ := strings.Cut(v, "=")
		for _, other := range given[:i] {
			if n, f, _ := strings.Cut(other, "="); n == name && f != file {
				return nil, usagef("--secret names two files for %q: %s and %s", name, f, file)
			}
		}
	}
	return named("--secret", "NAME=FILE", given)
}

// environment returns the environment of this process, as a map.
func environment() map[string]string {
	env := map[string]string{}
	for _, kv := range os.Environ() {
		name, value, _ := strings.Cut(kv, "=")
		env[name] = value
	}
	return env
}

// budget returns the budget of the cache; a bad value is reported before any verb runs.
func (c *command) budget() cache.Budget {
	b, _ := cache.ParseBudget(c.options.budget)
	return b
}

// optionNames returns the names of all options that help shows.
func optionNames(flags *pflag.FlagSet) []string {
	var names []string
	flags.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	return names
}
