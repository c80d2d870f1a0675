package build

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/plan"
)

// Resolved is all that a configuration tree says about something that can be built, each
// value with where it comes from. Passwords in URLs are masked.
type Resolved struct {
	Name  string `json:"name"`
	Place string `json:"place,omitempty"`
	// Fields are the description and those of the distribution.
	Fields   []ShownValue   `json:"fields"`
	Sources  []ShownSource  `json:"sources"`
	Features []ShownFeature `json:"features"`
	// Parameters are those of all features, in the features' order.
	Parameters []ShownValue   `json:"parameters"`
	Packages   []ShownPackage `json:"packages"`
	// Content is what the flavour brings itself, without packages and files.
	Content   []ShownContent   `json:"content"`
	Files     []ShownFile      `json:"files"`
	Artifacts []ShownArtifact  `json:"artifacts"`
	URLs      []ShownReference `json:"urls"`
}

// ShownOrigin is where a value comes from.
type ShownOrigin struct {
	// Place is FILE:LINE, "" if nothing in the tree says it.
	Place string `json:"place,omitempty"`
	// Default reports that no flavour sets it. A default without a place is Treewright's.
	Default bool `json:"default,omitempty"`
	// Outside are the options and variables of the environment that it comes from.
	Outside []string `json:"outside,omitempty"`
}

// ShownValue is a value: a string, bool, number, list of strings or list of objects.
type ShownValue struct {
	Feature string `json:"feature,omitempty"`
	Name    string `json:"name"`
	Value   any    `json:"value"`
	ShownOrigin
}

// ShownSource is a package archive.
type ShownSource struct {
	Name          string   `json:"name"`
	URLs          []string `json:"urls"`
	Suites        []string `json:"suites"`
	Components    []string `json:"components"`
	Architectures []string `json:"architectures,omitempty"`
	Keyring       string   `json:"keyring,omitempty"`
	CA            string   `json:"ca,omitempty"`
	// Packages and Priority are its pins.
	Packages  []string `json:"packages,omitempty"`
	Priority  int      `json:"priority,omitempty"`
	OnMachine bool     `json:"on_machine"`
	Feature   string   `json:"feature,omitempty"`
	ShownOrigin
}

// ShownFeature is a selected feature.
type ShownFeature struct {
	Name string             `json:"name"`
	Type config.FeatureType `json:"type"`
	// Place is where the flavour names it, "" if only other features include it.
	Place      string           `json:"place,omitempty"`
	IncludedBy []ShownReference `json:"included_by,omitempty"`
	// Extensions are those that it is a part of, empty for a feature of the system.
	Extensions []string `json:"extensions,omitempty"`
	Stage      string   `json:"stage,omitempty"`
}

// ShownReference is something with a place.
type ShownReference struct {
	Name  string `json:"name"`
	Value string `json:"value,omitempty"`
	Place string `json:"place,omitempty"`
}

// ShownPackage is a package that is asked for. What is installed along with it is known
// to a plan only.
type ShownPackage struct {
	Package string `json:"package"`
	// For is what it is for: "" for the system, "extension NAME", "exec.build of FEATURE".
	For   string `json:"for,omitempty"`
	Place string `json:"place"`
}

// ShownContent is something that a flavour brings itself.
type ShownContent struct {
	// Kind is the field of the flavour: "units", "users", "groups", "kernel_args",
	// "sysctl", "timezone", "locale", "keymap".
	Kind string `json:"kind"`
	Name string `json:"name"`
	// Value says more of it: what is done with a unit, the groups of a user, a
	// number.
	Value string `json:"value,omitempty"`
	Place string `json:"place"`
}

// ShownFile is a file that a feature has as a template, or a flavour itself.
type ShownFile struct {
	Path string `json:"path"`
	// Feature is "" for a file of the flavour.
	Feature string `json:"feature,omitempty"`
	Place   string `json:"place"`
}

// ShownArtifact is something that a build hands out.
type ShownArtifact struct {
	Name        string            `json:"name"`
	Path        string            `json:"path"`
	Kind        plan.ArtifactKind `json:"kind"`
	Description string            `json:"description"`
}

// Origin describes where a value comes from, in words.
func (o ShownOrigin) String() string {
	text := o.Place
	switch {
	case o.Default && text == "":
		text = "default"
	case o.Default:
		text += " (default)"
	}
	if len(o.Outside) > 0 {
		text += fmt.Sprintf(" (%s)", strings.Join(o.Outside, ", "))
	}
	return text
}

// placeOf names a range, "" for none.
func placeOf(r hcl.Range) string {
	if r.Filename == "" {
		return ""
	}
	return config.PlaceOf(r)
}
