package added

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/extend"
	"github.com/treewright/treewright/builder/sandbox"
)

// linkFile is the path at which systemd-sysext finds the image of the booted commit. It is made at each boot, so that an image of another commit is
// never merged.
const linkFile = "run/extensions/" + imageFile

// releaseFile exists while the image is merged.
const releaseFile = "usr/lib/extension-release.d/extension-release." + extend.Extension

// link makes the image of a commit the one to merge.
func (m *Machine) link(commit string) error {
	if err := os.MkdirAll(filepath.Dir(m.at(linkFile)), 0o755); err != nil {
		return err
	}
	next := m.at(linkFile + ".new")
	if err := remove(next); err != nil {
		return err
	}
	if err := os.Symlink("/"+imagesDir+"/"+commit+"/"+imageFile, next); err != nil {
		return err
	}
	return os.Rename(next, m.at(linkFile))
}

// linked returns the commit whose image is linked, "" without a link.
func (m *Machine) linked() string {
	target, err := os.Readlink(m.at(linkFile))
	if err != nil {
		return ""
	}
	return filepath.Base(filepath.Dir(target))
}

// relink links the image of a commit again, or removes the link if commit is "".
func (m *Machine) relink(commit string) error {
	if commit == "" {
		return remove(m.at(linkFile))
	}
	return m.link(commit)
}

// merged reports whether the image is merged.
func (m *Machine) merged() bool {
	_, err := os.Stat(m.at(releaseFile))
	return err == nil
}

// refresh merges the linked image.
func (m *Machine) refresh(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx) // half a merge is useless
	// Without the option, a systemd that has it may mistake an image of the same name for the merged image.
	_, err := m.output(ctx, "systemd-sysext", "--always-refresh=yes", "refresh")
	if err != nil && strings.Contains(err.Error(), "always-refresh") {
		_, err = m.output(ctx, "systemd-sysext", "refresh")
	}
	if err != nil {
		return fmt.Errorf("merge: %w", err)
	}
	return nil
}

// unitsDir is the directory of the units of the system and of extensions.
const unitsDir = "usr/lib/systemd/system"

// unitKinds are the endings of units.
var unitKinds = []string{".service", ".socket", ".timer", ".path", ".mount", ".automount", ".target", ".slice", ".swap"}

// units are the units that systemd starts or stops after an image is merged or unmerged.
type units struct {
	// all are the names of units, setup the units that set up the extension.
	all, setup []string
}

func (m *Machine) units() (units, error) {
	all, err := filesIn(m.at(unitsDir), unitKinds...)
	if err != nil {
		return units{}, err
	}
	upheld, err := filesIn(m.at(unitsDir, "multi-user.target.upholds"), ".service")
	if err != nil {
		return units{}, err
	}
	var u units
	for _, file := range all {
		u.all = append(u.all, filepath.Base(file))
	}
	for _, file := range upheld {
		if name := filepath.Base(file); strings.HasPrefix(name, extend.Extension+"-setup@") {
			u.setup = append(u.setup, name)
		}
	}
	return u, nil
}

// settle stops units that do not exist any more, and waits until new units are set up and started. It returns failures, as lines: the
// packages are merged all the same.
func (m *Machine) settle(ctx context.Context, before units) (problems []string, err error) {
	after, err := m.units()
	if err != nil {
		return nil, err
	}
	gone := slices.DeleteFunc(slices.Clone(before.all), func(name string) bool { return slices.Contains(after.all, name) })
	if len(gone) > 0 {
		if problems, err = m.end(ctx, gone); err != nil {
			return problems, err
		}
	}
	for _, name := range after.setup {
		if slices.Contains(before.setup, name) {
			continue
		}
		if _, err := m.output(ctx, "systemctl", "start", name); err != nil {
			problems = append(problems, fmt.Sprintf("the setup of the packages failed: see journalctl --unit %s: %v", name, err))
			continue
		}
		started, err := m.startedBy(ctx, name)
		if err != nil {
			return problems, err
		}
		problems = append(problems, started...)
	}
	return problems, ctx.Err()
}

// notLoaded is the exit status of systemctl for a unit that systemd does not know (any more).
const notLoaded = 5

// end stops units that do not exist any more, and returns failures, as lines.
func (m *Machine) end(ctx context.Context, units []string) (problems []string, err error) {
	// An image without units does not make systemd read units again, and units that uphold them would start them again.
	if _, err := m.output(ctx, "systemctl", "daemon-reload"); err != nil {
		return nil, fmt.Errorf("have systemd read its units: %w", err)
	}
	names := make([]string, len(units))
	for i, name := range units {
		names[i] = strings.Replace(name, "@.", "@*.", 1) // all instances
	}
	if len(names) == 0 {
		return nil, nil
	}
	// They end at the same time. A unit that fails is stopped once more alone, to get the reason.
	if _, err := m.output(ctx, append([]string{"systemctl", "stop"}, names...)...); err == nil {
		return nil, nil
	}
	for _, name := range names {
		_, err := m.output(ctx, "systemctl", "stop", name)
		var exit *sandbox.ExitError
		if errors.As(err, &exit) && exit.Status == notLoaded {
			continue // it did not run, or is another name of a stopped unit
		}
		if err != nil {
			problems = append(problems, fmt.Sprintf("%s is not there any more, and could not be stopped: %v", name, err))
		}
	}
	return problems, nil
}

// startedBy waits for the units that the setup starts, and returns the failed units, as lines.
func (m *Machine) startedBy(ctx context.Context, setup string) (problems []string, err error) {
	wants, err := m.output(ctx, "systemctl", "show", "--property=Wants", "--value", setup)
	if err != nil {
		return nil, err
	}
	for _, name := range strings.Fields(string(wants)) {
		if m.masked(ctx, name) {
			continue
		}
		if _, err := m.output(ctx, "systemctl", "start", name); err != nil {
			problems = append(problems, fmt.Sprintf("%s did not start: see journalctl --unit %s", name, name))
		}
	}
	return problems, nil
}

// masked reports whether the owner of the machine masked a unit, or systemd cannot load it.
func (m *Machine) masked(ctx context.Context, unit string) bool {
	loaded, err := m.output(ctx, "systemctl", "show", "--property=LoadState", "--value", unit)
	return err == nil && strings.TrimSpace(string(loaded)) != "loaded"
}

// mergeInto links the image of a commit and merges it. If that fails, it links the previous image again.
func (m *Machine) mergeInto(ctx context.Context, commit string) error {
	was := m.linked()
	err := m.relink(commit)
	if err == nil {
		if err = m.refresh(ctx); err == nil && commit != "" && !m.merged() {
			err = errors.New("systemd-sysext did not merge the image: see systemd-sysext status")
		}
	}
	if err == nil {
		return nil
	}
	return errors.Join(err, m.relink(was))
}

// again merges the linked image, after a change that was undone. Its error is added to the first error.
func (m *Machine) again(ctx context.Context) error {
	if err := m.refresh(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("merge the previous image: %w", err)
	}
	return nil
}

// mayBeMissing ignores the error of a directory that does not exist.
func mayBeMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
