package system

import "github.com/hashicorp/hcl/v2"

// fault is one whose text is shown whole.
func fault(summary, detail string, subject hcl.Range) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: &subject}
}
