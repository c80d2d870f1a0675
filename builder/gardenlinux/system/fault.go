package system

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
)

// fault is one whose text is shown whole.
func fault(summary, detail string, subject hcl.Range) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: &subject}
}

// suggest is the end of a sentence on a name that was not found.
func suggest(name string, known []string) string {
	if meant := config.Suggest(name, known); meant != "" {
		return fmt.Sprintf(" Did you mean %q?", meant)
	}
	return ""
}
