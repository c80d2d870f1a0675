package reapi

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/protobuf/proto"

	"github.com/treewright/treewright/builder/remote"
)

const (
	// outputName is the only output file of each Action: a packed result.
	outputName = "result.tar"
	// mostBytes is more than any result has. It keeps a server that promises more from filling the disk.
	mostBytes = 64 << 30
)

// blob is content with its digest.
type blob struct {
	digest  *repb.Digest
	content []byte
}

func blobOf(content []byte) blob {
	sum := sha256.Sum256(content)
	return blob{&repb.Digest{Hash: hex.EncodeToString(sum[:]), SizeBytes: int64(len(content))}, content}
}

// actionOf returns the Action of a result, and the Command that it names. They are made of the key alone, so that every machine finds
// the results that other machines have put.
func actionOf(key string) (action, command blob) {
	command = encode(&repb.Command{Arguments: []string{"treewright", "step", key}, OutputPaths: []string{outputName}})
	action = encode(&repb.Action{CommandDigest: command.digest, InputRootDigest: blobOf(nil).digest, Salt: []byte(key)})
	return action, command
}

func encode(m proto.Message) blob {
	text, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		panic(err) // its strings are ASCII
	}
	return blobOf(text)
}

// resultOf returns the ActionResult of a packed result.
func resultOf(packed *repb.Digest) *repb.ActionResult {
	return &repb.ActionResult{OutputFiles: []*repb.OutputFile{{Path: outputName, Digest: packed}}}
}

var sha256Digits = regexp.MustCompile("^[0-9a-f]{64}$")

// packedOf returns the digest of the packed result that an ActionResult promises.
func packedOf(r *repb.ActionResult) (*repb.Digest, error) {
	if len(r.GetOutputFiles()) != 1 || r.OutputFiles[0].GetPath() != outputName || r.GetExitCode() != 0 {
		return nil, fmt.Errorf("%w: its ActionResult does not have one output file %s", remote.ErrWrong, outputName)
	}
	d := r.OutputFiles[0].GetDigest()
	if !sha256Digits.MatchString(d.GetHash()) || d.GetSizeBytes() < 0 || d.GetSizeBytes() > mostBytes {
		return nil, fmt.Errorf("%w: the digest %q with %d bytes in its ActionResult cannot be that of a result", remote.ErrWrong, d.GetHash(), d.GetSizeBytes())
	}
	return d, nil
}
