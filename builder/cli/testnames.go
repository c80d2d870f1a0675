package cli

import (
	"context"
	"strings"

	"github.com/treewright/treewright/builder/trial"
)

// testNames are the tests of the flavour that was typed, and the features that have any,
// for completion.
func (c *command) testNames() []string {
	project, _, err := c.builder.Load()
	if err != nil {
		return nil
	}
	s, err := c.builder.Resolve(context.Background(), project, c.args[0])
	if err != nil || s == nil {
		return nil
	}
	names, err := trial.Names(c.builder, s, nil)
	if err != nil {
		return nil
	}
	var words []string
	for i, name := range names {
		feature, _, _ := strings.Cut(name, "/")
		if i == 0 || !strings.HasPrefix(names[i-1], feature+"/") {
			words = append(words, feature)
		}
		words = append(words, name)
	}
	return words
}
