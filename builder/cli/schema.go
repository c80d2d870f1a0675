package cli

import (
	"context"
	"os"
	"path/filepath"

	"github.com/treewright/treewright/builder/config"
)

var schemaVerb = &verb{
	name: "schema", hidden: true, summary: "write the JSON Schemas to schema/",
	run: func(_ context.Context, c *command) error {
		if len(c.args) > 0 {
			return usagef("schema takes no arguments, not %q", c.args[0])
		}
		for name, content := range config.Schemas() {
			if err := os.WriteFile(filepath.Join(c.options.dir, "schema", name), content, 0o644); err != nil {
				return err
			}
		}
		return nil
	},
}
