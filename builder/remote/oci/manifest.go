package oci

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/treewright/treewright/builder/remote"
)

// Annotations of the manifest of a result.
const (
	keyAnnotation  = "io.github.treewright.result.key"
	sizeAnnotation = "io.github.treewright.result.size"
	sumAnnotation  = "io.github.treewright.result.sha256"
)

// mostManifest is the size of the largest manifest that is read. Ours have less than 2 KiB.
const mostManifest = 64 << 10

// tagOf returns the tag of a result: 75 of the 128 characters that a tag can have.
func tagOf(key string) (string, error) {
	if len(key) != 64 || strings.Trim(key, "0123456789abcdef") != "" {
		return "", fmt.Errorf("%q is not the key of a result", key)
	}
	return "treewright-" + key, nil
}

// packed is the record of a packed result in a manifest.
type packed struct {
	key string
	// size and sum are the size and digest of the packed stream. layer is the blob with the compressed stream.
	size  int64
	sum   digest.Digest
	layer ocispec.Descriptor
}

// describe returns the manifest of a result and the image's configuration. Both depend on the packed result alone, so they do not
// have a time. No machine has the architecture of the image, so that docker does not run it.
func (p packed) describe() (manifest, config []byte, err error) {
	image := ocispec.Image{
		Platform: ocispec.Platform{Architecture: "unknown", OS: "unknown"},
		RootFS:   ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{p.sum}},
	}
	if config, err = json.Marshal(image); err != nil {
		return nil, nil, err
	}
	manifest, err = json.Marshal(ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: ocispec.MediaTypeImageManifest,
		Config:    descriptor(ocispec.MediaTypeImageConfig, config),
		Layers:    []ocispec.Descriptor{p.layer},
		Annotations: map[string]string{
			keyAnnotation:  p.key,
			sizeAnnotation: strconv.FormatInt(p.size, 10),
			sumAnnotation:  p.sum.Encoded(),
		},
	})
	return manifest, config, err
}

func descriptor(mediaType string, content []byte) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(content), Size: int64(len(content))}
}

// readManifest reads the manifest of the result of a key. If describe cannot have written it, the error is [remote.ErrWrong].
func readManifest(raw []byte, key string) (packed, error) {
	wrong := func(format string, args ...any) (packed, error) {
		return packed{}, fmt.Errorf("%w: its manifest %s", remote.ErrWrong, fmt.Sprintf(format, args...))
	}
	var m ocispec.Manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return wrong("is not JSON of a manifest")
	}
	switch {
	case m.SchemaVersion != 2 || m.MediaType != ocispec.MediaTypeImageManifest || m.Config.MediaType != ocispec.MediaTypeImageConfig:
		return wrong("is not that of an image")
	case m.ArtifactType != "":
		return wrong("is of the artifact type %q", m.ArtifactType)
	case m.Annotations[keyAnnotation] != key:
		return wrong("is not that of the result")
	case len(m.Layers) != 1:
		return wrong("has %d layers", len(m.Layers))
	}
	p := packed{key: key, layer: m.Layers[0], sum: digest.NewDigestFromEncoded(digest.SHA256, m.Annotations[sumAnnotation])}
	if p.layer.MediaType != ocispec.MediaTypeImageLayerZstd || p.layer.Size <= 0 || p.layer.Digest.Validate() != nil || p.layer.Digest.Algorithm() != digest.SHA256 {
		return wrong("has a layer that is not compressed by zstd, or the layer's size or SHA-256 is missing")
	}
	if p.sum.Validate() != nil {
		return wrong("does not have the SHA-256 of the packed result")
	}
	var err error
	if p.size, err = strconv.ParseInt(m.Annotations[sizeAnnotation], 10, 64); err != nil || p.size < 0 {
		return wrong("does not have the size of the packed result")
	}
	return p, nil
}
