package build

import (
	"testing"

	"github.com/treewright/treewright/builder/config"
)

// TestRemoteAskedFor: options for a remote cache are an error without one.
func TestRemoteAskedFor(t *testing.T) {
	for _, tc := range []struct {
		options RemoteOptions
		fails   bool
	}{
		{RemoteOptions{}, false},
		{RemoteOptions{URL: NoRemote}, false},
		{RemoteOptions{Push: true}, true},
		{RemoteOptions{URL: NoRemote, Push: true}, true},
		{RemoteOptions{URL: NoRemote, Verify: 5}, true},
		{RemoteOptions{URL: "grpc://cache.example:1", Push: true}, false},
	} {
		b := &Builder{options: Options{Remote: tc.options}}
		if _, _, err := b.access(&config.Project{}); (err != nil) != tc.fails {
			t.Errorf("%+v: error %v", tc.options, err)
		}
	}
}
