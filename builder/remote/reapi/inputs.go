package reapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/treewright/treewright/builder/remote"
)

// source is a blob that an Action needs. It is sent if the server does not have it.
type source struct {
	digest *repb.Digest
	write  func(io.Writer) error
}

// sources maps the hashes of all blobs that an Action needs to the blobs.
type sources map[string]source

func (s sources) add(b blob) *repb.Digest {
	s[b.digest.Hash] = source{b.digest, func(w io.Writer) error {
		_, err := w.Write(b.content)
		return err
	}}
	return b.digest
}

// digests returns the digests of all blobs, small ones first. Servers always have the empty blob.
func (s sources) digests() []*repb.Digest {
	var digests []*repb.Digest
	for _, one := range s {
		if one.digest.SizeBytes > 0 {
			digests = append(digests, one.digest)
		}
	}
	slices.SortFunc(digests, func(a, b *repb.Digest) int {
		return cmp.Or(cmp.Compare(a.SizeBytes, b.SizeBytes), strings.Compare(a.Hash, b.Hash))
	})
	return digests
}

// encoded returns the digest of an Action as a message of the API, and all blobs that it needs: the Action, its Command, directories
// and inputs.
func encoded(a *remote.Action) (*repb.Digest, sources, error) {
	if err := readable(a); err != nil {
		return nil, nil, err
	}
	needs := sources{}
	root := &directory{}
	for _, in := range a.Inputs {
		d := &repb.Digest{Hash: in.Digest.Hash, SizeBytes: in.Digest.Size}
		if err := plausible(d); err != nil {
			return nil, nil, fmt.Errorf("the input %s: %w", in.Path, err)
		}
		if err := root.add(in.Path, &repb.FileNode{Digest: d, IsExecutable: in.Executable}); err != nil {
			return nil, nil, fmt.Errorf("the input %s: %w", in.Path, err)
		}
		needs[d.Hash] = source{d, in.Write}
	}
	properties := &repb.Platform{}
	for _, name := range slices.Sorted(maps.Keys(a.Platform)) {
		properties.Properties = append(properties.Properties, &repb.Platform_Property{Name: name, Value: a.Platform[name]})
	}
	command := &repb.Command{Arguments: a.Arguments, OutputPaths: slices.Compact(slices.Sorted(slices.Values(a.Outputs)))}
	//lint:ignore SA1019 servers of API version 2.1 and older read the properties here
	command.Platform = properties
	action := &repb.Action{CommandDigest: needs.add(encode(command)), InputRootDigest: root.encode(needs), Platform: properties}
	if a.Timeout > 0 {
		action.Timeout = durationpb.New(a.Timeout)
	}
	return needs.add(encode(action)), needs, nil
}

// readable returns an error if an Action has text or paths that the API does not allow.
func readable(a *remote.Action) error {
	for _, text := range slices.Concat(a.Arguments, a.Outputs, slices.Collect(maps.Keys(a.Platform)), slices.Collect(maps.Values(a.Platform))) {
		if !utf8.ValidString(text) {
			return fmt.Errorf("%q in an Action is not UTF-8", text)
		}
	}
	for _, path := range a.Outputs {
		if !fs.ValidPath(path) || path == "." {
			return fmt.Errorf("the output %q is not a path below the working directory", path)
		}
	}
	return nil
}

// directory is a directory of inputs. The keys of its maps are names.
type directory struct {
	files map[string]*repb.FileNode
	below map[string]*directory
}

func (d *directory) add(path string, file *repb.FileNode) error {
	if !fs.ValidPath(path) || path == "." {
		return errors.New("this is not a path below the working directory")
	}
	parts := strings.Split(path, "/")
	for _, name := range parts[:len(parts)-1] {
		if d.files[name] != nil {
			return fmt.Errorf("%s is an input, too, and not a directory", name)
		}
		if d.below == nil {
			d.below = map[string]*directory{}
		}
		if d.below[name] == nil {
			d.below[name] = &directory{}
		}
		d = d.below[name]
	}
	file.Name = parts[len(parts)-1]
	if d.files[file.Name] != nil || d.below[file.Name] != nil {
		return errors.New("another input has the same path")
	}
	if d.files == nil {
		d.files = map[string]*repb.FileNode{}
	}
	d.files[file.Name] = file
	return nil
}

// encode adds the directory and its subdirectories to needs, and returns the digest of the directory.
func (d *directory) encode(needs sources) *repb.Digest {
	m := &repb.Directory{}
	for _, name := range slices.Sorted(maps.Keys(d.files)) {
		m.Files = append(m.Files, d.files[name])
	}
	for _, name := range slices.Sorted(maps.Keys(d.below)) {
		m.Directories = append(m.Directories, &repb.DirectoryNode{Name: name, Digest: d.below[name].encode(needs)})
	}
	return needs.add(encode(m))
}

// sendMissing sends the blobs that the server does not have, and the blobs whose hashes are in lost.
func (e *executor) sendMissing(ctx context.Context, can abilities, needs sources, lost map[string]bool) error {
	digests := needs.digests()
	missing, err := e.missing(ctx, digests)
	if err != nil {
		return err
	}
	var parcels [][]source
	room := int64(0)
	for _, d := range digests {
		one := needs[d.Hash]
		switch {
		case !missing[d.Hash] && !lost[d.Hash]:
		case can.largest > 0 && d.SizeBytes > can.largest:
			return e.fault(ctx, e.send, fmt.Errorf("an input has %d bytes, and the server takes at most %d", d.SizeBytes, can.largest))
		case d.SizeBytes > can.small:
			parcels = append(parcels, []source{one})
			room = 0
		case d.SizeBytes > room || len(parcels[len(parcels)-1]) == e.limits.digests:
			parcels = append(parcels, []source{one})
			room = can.small - d.SizeBytes
		default:
			parcels[len(parcels)-1] = append(parcels[len(parcels)-1], one)
			room -= d.SizeBytes
		}
	}
	return remote.Each(ctx, len(parcels), e.limits.lookups, func(ctx context.Context, i int) error {
		return e.sendParcel(ctx, can, parcels[i])
	})
}

// sendParcel sends a parcel: one large blob as a stream, or several small blobs in one call.
func (e *executor) sendParcel(ctx context.Context, can abilities, parcel []source) error {
	select {
	case e.sending <- struct{}{}:
		defer func() { <-e.sending }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if first := parcel[0]; first.digest.SizeBytes > can.small {
		return again(ctx, func() error { return e.upload(ctx, first.digest, can.zstd, first.write) })
	}
	var blobs []blob
	for _, one := range parcel {
		b, err := inMemory(ctx, one.digest, one.write)
		if err != nil {
			return err
		}
		blobs = append(blobs, b)
	}
	return e.uploadSmall(ctx, blobs)
}
