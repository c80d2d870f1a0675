package imagetool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
)

func runUUIDHash(_ context.Context, p process, args []string) error {
	if _, err := (optionParser{}).parse(args, 0); err != nil {
		return err
	}
	uuid, err := UUIDHash(p.In)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.Out, uuid)
	return err
}

func runExt4(ctx context.Context, p process, args []string) error {
	e := Ext4{Tools: p.tools(p.Out), HashPrefix: "ext4"}
	options := optionParser{
		values: map[string]func(string) error{
			"-t": timeOption(&e.Timestamp), "-h": prefixOption(&e.HashPrefix), "-u": textOption(&e.UUID), "-l": textOption(&e.Label), "-p": numberOption(&e.Padding),
			"--timestamp": timeOption(&e.Timestamp), "--hash-prefix": prefixOption(&e.HashPrefix), "--uuid": textOption(&e.UUID), "--label": textOption(&e.Label),
			"--size-padding": numberOption(&e.Padding),
		},
		switches: map[string]*bool{
			"-q": &e.Quota, "-m": &e.Minimise, "-j": &e.LargeJournal,
			"--enable-quotas": &e.Quota, "--minimize-size": &e.Minimise, "--large-journal": &e.LargeJournal,
		},
	}
	rest, err := options.parse(args, 2)
	if err != nil {
		return err
	}
	e.Source, e.Target = rest[0], rest[1]
	if err := absolute(&e.Source, &e.Target); err != nil {
		return err
	}
	return e.Make(ctx)
}

func runVFAT(ctx context.Context, p process, args []string) error {
	v := VFAT{Tools: p.tools(p.Out), HashPrefix: "vfat"}
	options := optionParser{values: map[string]func(string) error{
		"-t": timeOption(&v.Timestamp), "-h": prefixOption(&v.HashPrefix), "-u": textOption(&v.VolumeID), "-l": textOption(&v.Label),
		"--timestamp": timeOption(&v.Timestamp), "--hash-prefix": prefixOption(&v.HashPrefix), "--uuid": textOption(&v.VolumeID), "--label": textOption(&v.Label),
	}}
	rest, err := options.parse(args, 2)
	if err != nil {
		return err
	}
	v.Source, v.Target = rest[0], rest[1]
	if err := absolute(&v.Source, &v.Target); err != nil {
		return err
	}
	return v.Make(ctx)
}

func runSwap(ctx context.Context, p process, args []string) error {
	s := Swap{Tools: p.tools(p.Out), HashPrefix: "swap"}
	options := optionParser{values: map[string]func(string) error{
		"-h": prefixOption(&s.HashPrefix), "-u": textOption(&s.UUID), "-l": textOption(&s.Label),
		"--hash-prefix": prefixOption(&s.HashPrefix), "--uuid": textOption(&s.UUID), "--label": textOption(&s.Label),
	}}
	rest, err := options.parse(args, 1)
	if err != nil {
		return err
	}
	s.Target = rest[0]
	if err := absolute(&s.Target); err != nil {
		return err
	}
	return s.Make(ctx)
}

func runMakePart(ctx context.Context, p process, args []string) error {
	consume := false
	options := optionParser{switches: map[string]*bool{"--consume": &consume}}
	rest, err := options.parse(args, 1)
	if err != nil {
		return err
	}
	m := MakePart{Tools: p.tools(p.Err), Rootfs: rest[0], Consume: consume, Arch: p.getenv("BUILDER_ARCH"), Version: p.getenv("BUILDER_VERSION")}
	var faults []error
	for _, name := range []string{"BUILDER_ARCH", "BUILDER_VERSION", "BUILDER_TIMESTAMP"} {
		if p.getenv(name) == "" {
			faults = append(faults, fmt.Errorf("the variable %s is not set", name))
		}
	}
	if len(faults) > 0 {
		return errors.Join(faults...)
	}
	if m.Timestamp, err = timestamp(p.getenv("BUILDER_TIMESTAMP")); err != nil {
		return fmt.Errorf("BUILDER_TIMESTAMP: %w", err)
	}
	if err := absolute(&m.Rootfs); err != nil {
		return err
	}
	if info, err := os.Stat(m.Rootfs); err != nil {
		return err
	} else if !info.IsDir() {
		return fmt.Errorf("%s is not a directory", m.Rootfs)
	}
	entries, err := ParseFstab(p.In)
	if err != nil {
		return err
	}
	parts, err := m.Run(ctx, entries)
	if err != nil {
		return err
	}
	var lines strings.Builder
	for _, part := range parts {
		fmt.Fprintln(&lines, part)
	}
	_, err = fmt.Fprint(p.Out, lines.String())
	return err
}

func runMakeDisk(ctx context.Context, p process, args []string) error {
	rest, err := (optionParser{}).parse(args, 2)
	if err != nil {
		return err
	}
	rootfs, d := rest[0], MakeDisk{Tools: p.tools(p.Err), Image: rest[1]}
	if d.Partitions, err = ParsePartitions(p.In); err != nil {
		return err
	}
	if d.BootCode, err = BootCode(rootfs, d.Partitions); err != nil {
		return err
	}
	if err := absolute(&d.Image); err != nil {
		return err
	}
	for i := range d.Partitions {
		if err := absolute(&d.Partitions[i].File); err != nil {
			return err
		}
	}
	return d.Run(ctx)
}

func runMoveData(_ context.Context, _ process, args []string) error {
	m := Move{Length: -1}
	options := optionParser{values: map[string]func(string) error{
		"--input": textOption(&m.Input), "--input-offset": numberOption(&m.InputOffset),
		"--output": textOption(&m.Output), "--output-offset": numberOption(&m.OutputOffset), "--length": numberOption(&m.Length),
	}}
	if _, err := options.parse(splitValues(args), 0); err != nil {
		return err
	}
	if m.Input == "" || m.Output == "" {
		return badArgs("--input and --output are needed")
	}
	return m.Run()
}

// splitValues makes two words of --name=value.
func splitValues(args []string) []string {
	var out []string
	for _, a := range args {
		name, value, ok := strings.Cut(a, "=")
		if !ok || !strings.HasPrefix(a, "--") {
			out = append(out, a)
			continue
		}
		out = append(out, name, value)
	}
	return out
}

func runResizeFAT32(_ context.Context, p process, args []string) error {
	r, err := parseResize(args)
	if err != nil {
		return err
	}
	done, err := r.Run()
	if err == nil || errors.Is(err, ErrFATFull) {
		inMiB := func(sectors int64) float64 { return float64(sectors*done.SectorSize) / mib }
		fmt.Fprintf(p.Out, "resized FAT32 volume %d -> %d sectors (%.2f MiB -> %.2f MiB)\n",
			done.Before, done.After, inMiB(done.Before), inMiB(done.After))
	}
	return err
}

// parseResize reads options as getopt(3) does: several switches in a word, a
// value in the same word or the next, files among them.
func parseResize(args []string) (ResizeFAT32, error) {
	var r ResizeFAT32
	var files []string
	for i := 0; i < len(args); i++ {
		a := args[i]
		if a == "--" {
			files = append(files, args[i+1:]...)
			break
		}
		if len(a) < 2 || a[0] != '-' {
			files = append(files, a)
			continue
		}
		for a = a[1:]; a != ""; {
			option := a[0]
			a = a[1:]
			switch option {
			case 't':
				r.Truncate = true
			case 's':
				if a == "" {
					if i++; i == len(args) {
						return r, badArgs("-s needs a value")
					}
					a = args[i]
				}
				if err := r.setSize(a); err != nil {
					return r, err
				}
				a = ""
			default:
				return r, badArgs("unknown option -%c", option)
			}
		}
	}
	if len(files) != 1 {
		return r, badArgs("files: %d instead of 1", len(files))
	}
	r.File = files[0]
	return r, nil
}

func (r *ResizeFAT32) setSize(s string) (err error) {
	switch s {
	case "min":
		r.Mode = FATMin
	case "max":
		r.Mode = FATMax
	default:
		r.Mode = FATSize
		r.Size, err = parseSize(s)
	}
	return err
}
