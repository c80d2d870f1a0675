package build

import (
	"context"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/stage"
)

// Subject is what a name stands for: a flavour, or else a cname in the tree, with
// its features resolved.
type Subject struct {
	// Name is the one by which it was asked for.
	Name    string
	Project *config.Project
	Spec    *compose.Spec
	// Tree is what scripts of a cname's features are told.
	Tree stage.Tree
	// Warnings are what was noticed and stops no build.
	Warnings hcl.Diagnostics
}

// CNames finds out what a name is that is no flavour's. It returns nil if the
// name cannot have been meant as a cname.
type CNames func(ctx context.Context, project *config.Project, name string) (*Subject, error)

// Flavour returns the name under which results of a subject are kept.
func (s *Subject) Flavour() string { return s.Spec.Flavour.Name }

// targetNames are how the artifacts of a cname are called; nil for a flavour.
func (s *Subject) targetNames() *engine.TargetNames {
	if s.Spec.Target == nil {
		return nil
	}
	return &engine.TargetNames{Base: s.Spec.Target.Base(), Link: s.Name, Listed: s.Spec.Listed()}
}
