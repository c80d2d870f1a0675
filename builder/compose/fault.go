package compose

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
)

func fault(summary, detail string, subject hcl.Range) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: &subject}
}

// place names a range for use within a sentence.
func place(r hcl.Range) string { return fmt.Sprintf("%s:%d", r.Filename, r.Start.Line) }

// suggest is the end of a sentence on a name that was not found: what was
// probably meant, or nothing.
func suggest(name string, known []string) string {
	if meant := config.Suggest(name, known); meant != "" {
		return fmt.Sprintf(" Did you mean %q?", meant)
	}
	return ""
}
