package cli

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mvdan.cc/sh/v3/syntax"

	"github.com/treewright/treewright/builder/added"
	"github.com/treewright/treewright/builder/build/buildtest"
	"github.com/treewright/treewright/builder/scaffold"
	"github.com/treewright/treewright/builder/treetest"
)

// runAsWhole are the pages whose commands are run one after the other by tests of their
// own; notForUsers are pages that show what was, or how the code is changed.
var (
	runAsWhole  = []string{"docs/first-system.md", "docs/add-a-feature.md"}
	notForUsers = []string{"CHANGELOG.md", "docs/decisions.md"}
)

// pageWords are the values of placeholders of the pages when their commands are run. "TREE" is
// the tree, "OTHER" a Garden Linux tree, "NEW" an empty directory.
var pageWords = map[string]string{
	"FLAVOUR": "debian-testing-amd64-ostree", "FEATURE": "base", "BEFORE": "example", "AFTER": "debian-testing-amd64-ostree", "STEP": "rootfs/bootstrap", "VERB": "plan", "PATH": "/etc/hostname", "FILE": "/etc/hostname", "PACKAGE": "systemd", "CNAME": "base-amd64-13", "image/NAME": "image/disk", "ADDRESS:PORT": "127.0.0.1:8080",
	".build/FLAVOUR/report.html": "TREE/.build/debian-testing-amd64-ostree/report.html",
	"trace.json":                 "NEW/trace.json",
	"DIRECTORY":                  "NEW/directory", "../systems": "NEW/systems", "~/systems": "NEW/systems",
	"/srv/systems": "TREE", "/srv/cache": "TREE/.cache", "path/to/tree": "OTHER", "path/to/gardenlinux": "OTHER", "own": "NEW/own",
	"vpn_token=/run/keys/vpn": "vpn_token=TREE/secret", "auth=/run/secrets/apt": "auth=TREE/auth", "URL": "https://updates.example.org",
}

// TestEachCommandOfThePages runs every command line of ours that a page shows, in blocks,
// in recipes and within sentences, in a tree with all that they name. No step is run.
// What boots a machine or waits for clients is read only: its options, and its flavour
// and step, have to be there.
func TestEachCommandOfThePages(t *testing.T) {
	ran, p := 0, newPageTree(t)
	for _, page := range docPages(t) {
		if slices.Contains(runAsWhole, page) || slices.Contains(notForUsers, page) {
			continue
		}
		t.Run(page, func(t *testing.T) {
			for _, line := range ourLines(t, page) {
				ran += p.run(t, page, line)
			}
		})
	}
	if ran < 90 {
		t.Errorf("only %d commands were run", ran)
	}
}

// ourLines are the command lines of a page that begin one of our programs, somewhere.
// Forms of verbs, with brackets, and mentions of verbs in sentences are not among them.
func ourLines(t *testing.T, page string) []string {
	var lines []string
	fence := ""
	for line := range strings.Lines(readDoc(t, page)) {
		line = strings.TrimRight(line, "\n")
		language, fenced := strings.CutPrefix(strings.TrimLeft(line, " "), "```")
		switch {
		case fenced && fence == "":
			fence = "code " + language
		case fenced:
			fence = ""
		case fence == "code " || fence == "code sh" || fence == "code yaml" || fence == "code dockerfile":
			lines = append(lines, strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(line), "- "), "RUN "))
		case fence == "" && strings.HasPrefix(line, "    "):
			lines = append(lines, strings.TrimSpace(line))
		case fence == "":
			for _, m := range inBackticks.FindAllStringSubmatch(line, -1) {
				if !aMention.MatchString(m[1]) {
					lines = append(lines, m[1])
				}
			}
		}
	}
	return slices.DeleteFunc(lines, func(line string) bool {
		return !beginsOurs.MatchString(line) || aForm.MatchString(line)
	})
}

var (
	beginsOurs = regexp.MustCompile(`(^|[ (])(\./build|treewright) `)
	aMention   = regexp.MustCompile(`^(\./build|treewright) ([a-z-]+|new (feature|flavour))$`)
	aForm      = regexp.MustCompile(`\[|\.\.\.|\w\|\w|^(Makefile|build) `)
)

// pageTree is where the commands of a page are run.
type pageTree struct {
	dir   string
	words *strings.Replacer
}

func newPageTree(t *testing.T) *pageTree {
	t.Helper()
	root := t.TempDir()
	p := &pageTree{dir: filepath.Join(root, "tree"), words: strings.NewReplacer("TREE", filepath.Join(root, "tree"), "OTHER", filepath.Join(root, "other"), "$@", "example", "$TREEWRIGHT_REMOTE_CACHE", "oci://registry.example.org/cache", "=treewright-arm64", "="+filepath.Join(root, "treewright-arm64"))}
	if _, err := scaffold.Tree(filepath.Join(root, "own"), ""); err != nil {
		t.Fatal(err)
	}
	for to, from := range map[string]string{"features": treetest.Shipped(t) + "/features", "flavours": treetest.Shipped(t) + "/flavours", "features/hello": root + "/own/features/hello"} {
		if err := os.CopyFS(filepath.Join(p.dir, to), os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}
	treetest.WriteAll(t, p.dir, map[string]string{
		"flavours/example.hcl": treetest.Content(t, root+"/own/flavours/example.hcl"), "auth": "machine packages.example.org login a password b\n", "secret": "a secret of the VPN\n",
		"flavours/vars.hcl":      "variable \"suite\" {\n  default = \"testing\"\n}\n",
		"features/vpn/info.yaml": "type: element\nparameters:\n  token:\n    type: string\n    secret: true\n    default: vpn_token\n", "features/vpn/exec.config": "#!/bin/sh\ncat \"$PARAM_TOKEN\"\n",
		"flavours/private.hcl": "flavour \"private\" {\n  extends = \"debian-testing-amd64-minimal\"\n  add_features = [\"vpn\"]\n}\n",
	})
	treetest.WriteAll(t, filepath.Join(root, "other/features"), map[string]string{
		"base/info.yaml": "type: platform\n", "kvm/info.yaml": "type: platform\n", "container/info.yaml": "type: platform\n", "gardener/info.yaml": "type: element\n", "_prod/info.yaml": "type: flag\n",
	})
	treetest.Write(t, filepath.Join(root, "other/get_version"), "#!/bin/sh\necho 13\n")
	for _, program := range []string{p.dir + "/features/vpn/exec.config", root + "/other/get_version"} {
		if err := os.Chmod(program, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// The file has only the header of a program.
	header := bytes.Buffer{}
	if err := binary.Write(&header, binary.LittleEndian, elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(elf.EM_AARCH64), Version: uint32(elf.EV_CURRENT), Ehsize: 64,
	}); err != nil {
		t.Fatal(err)
	}
	treetest.Write(t, filepath.Join(root, "treewright-arm64"), header.String())
	p.commit(t)
	p.build(t)
	return p
}

// commit puts the tree into a git repository, which has it as origin/main.
func (p *pageTree) commit(t *testing.T) {
	t.Helper()
	for _, args := range []string{"init -q .", "add -A", "-c user.name=x -c user.email=x@example.com -c commit.gpgSign=false commit -q -m tree", "update-ref refs/remotes/origin/main HEAD"} {
		if out, err := exec.Command("git", append([]string{"-C", p.dir}, strings.Fields(args)...)...).CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v\n%s", args, err, out)
		}
	}
}

// build builds the flavours that the pages look at.
func (p *pageTree) build(t *testing.T) {
	t.Helper()
	if code, _, errs := p.ours(t, "debian-testing-amd64-ostree", "example"); code != exitOK {
		t.Fatalf("exit code %d\n%s", code, errs)
	}
}

// ours runs the program, without steps, in the tree.
func (p *pageTree) ours(t *testing.T, args ...string) (int, string, string) {
	t.Helper()
	return runMainOn(t, buildtest.Backend(), "", append([]string{"-C", p.dir}, args...)...)
}

// run runs the commands of ours in a line, and returns how many there are.
func (p *pageTree) run(t *testing.T, page, line string) (ran int) {
	t.Helper()
	eachCommand(t, page, line, func(call *syntax.CallExpr, words []string) {
		if !slices.Contains(ourNames, words[0]) || len(words) == 1 {
			return
		}
		ran++
		t.Run(strings.Join(words, " "), func(t *testing.T) {
			for _, a := range call.Assigns {
				t.Setenv(a.Name.Value, wordText(a.Value))
			}
			p.command(t, page, words[1:])
		})
	})
	return ran
}

// command runs one command.
func (p *pageTree) command(t *testing.T, page string, words []string) {
	t.Helper()
	args := make([]string, len(words))
	for i, w := range words {
		if value, ok := pageWords[w]; ok {
			w = value
		}
		args[i] = strings.ReplaceAll(p.words.Replace(w), "NEW", t.TempDir())
	}
	if page == "docs/features.md" && slices.Contains(words, "vpn_token=/run/keys/vpn") {
		args[len(args)-1] = "private"
	}
	if slices.Contains(words, "CNAME") {
		args = append([]string{"-C", p.words.Replace("OTHER")}, args...)
	}
	v := buildVerb
	if i := firstWord(args); i >= 0 {
		if found := findVerb(args[i]); found != nil {
			v = found
		}
	}
	if slices.Contains([]string{"run", "test", "verify", "shell"}, v.name) || v == serveVerb && !slices.Contains(args, "--write") {
		p.readOnly(t, v, args)
		return
	}
	switch v {
	case newVerb:
		using := t.TempDir()
		treetest.Write(t, filepath.Join(using, "treewright.hcl"), "use = [\"builtin\"]\n")
		args = append([]string{"-C", using}, args...)
	case reportVerb:
		p.build(t) // it may have been cleaned
	}
	code, _, errs := p.ours(t, args...)
	switch {
	case code == exitOK:
	case v == whyVerb && code == exitFailed && strings.Contains(errs, "no layer contains"): // no step has run
	case v == diffVerb && code == exitFailed && strings.Contains(errs, "updates.example.org"): // the server does not exist
	case slices.Contains([]*verb{addVerb, removeVerb, updateVerb, statusVerb, bundleVerb}, v) && strings.Contains(errs, added.ErrNoDeployment.Error()): // a machine is not one
	case v == budgetVerb && strings.Contains(errs, "is the first one of"): // nothing was built before
	case slices.Contains(args, p.words.Replace("OTHER")) && code != exitUsage: // its archive cannot be asked
	default:
		t.Errorf("exit code %d\n%s", code, errs)
	}
}

// readOnly looks at a command that cannot be run here.
func (p *pageTree) readOnly(t *testing.T, v *verb, args []string) {
	t.Helper()
	at := firstWord(args)
	flags := newFlags(v, &options{})
	if err := flags.Parse(slices.Delete(slices.Clone(args), at, at+1)); err != nil {
		t.Fatal(err)
	}
	if v == serveVerb || flags.NArg() == 0 {
		return
	}
	dir := p.dir
	if other := flags.Lookup("directory").Value.String(); other != "" && other != p.dir {
		return // of another kind of tree, which show knows less of
	}
	code, out, errs := runMainOn(t, buildtest.Backend(), "", "-C", dir, "plan", "--format", "json", flags.Arg(0))
	if code != exitOK {
		t.Fatalf("%s is not a flavour: exit code %d\n%s", flags.Arg(0), code, errs)
	}
	if v != shellVerb || flags.NArg() < 2 {
		return
	}
	var plan planJSON
	if err := json.Unmarshal([]byte(out), &plan); err != nil {
		t.Fatal(err)
	}
	for _, s := range plan.Steps {
		if s.ID == flags.Arg(1) {
			return
		}
	}
	t.Errorf("%s has no step %s", flags.Arg(0), flags.Arg(1))
}
