package system

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/gardenlinux/tree"
)

// Artifact is one file that a cname makes, and how.
type Artifact struct {
	// Extension is what its name ends with, without the dot in front: "raw".
	Extension string
	// Script makes it of the artifact with the extension Takes; nil if Treewright
	// itself does. Feature is whose script it is.
	Script  *tree.ImageScript
	Feature *config.Feature
	Takes   string
	// Listed reports that it was asked for; the others are steps on the way to one
	// that was.
	Listed bool
}

// builtin are the artifacts that every cname has, in the order in which the
// Garden Linux builder (make_list_build_artifacts) lists them.
var builtin = []string{"tar", "release", "manifest", "sbom", "requirements"}

// builtinArtifacts are the extensions for which no feature needs a script.
func builtinArtifacts() []string { return append(slices.Clone(builtin), "raw") }

// artifacts works out what features make: the built-in ones, whatever their
// scripts make, a disk image if there is nothing else and a platform to boot
// on, and what those are made of. A feature's script goes before what is built
// in; two features' scripts for one artifact are a fault, as are scripts that
// lead round in a circle or take what nothing makes.
func artifacts(features []*config.Feature, platform bool) ([]Artifact, hcl.Diagnostics) {
	m := &maker{by: map[string]Artifact{}, state: map[string]int{}}
	listed := slices.Clone(builtin)
	for _, f := range features {
		images := tree.PartsOf(f).Images
		for i := range images {
			s := &images[i]
			if other, taken := m.by[s.Makes]; taken {
				m.diags = append(m.diags, fault("Two scripts for one artifact",
					fmt.Sprintf("%s of feature %q makes .%s, and %s of feature %q (%s) does too. Leave one of the features out, or let one exclude the other.",
						s.File, f.Name, s.Makes, other.Script.File, other.Feature.Name, config.PlaceOf(other.Script.Range)), s.Range))
				continue
			}
			m.by[s.Makes] = Artifact{Extension: s.Makes, Script: s, Feature: f, Takes: s.Takes}
		}
	}
	for _, f := range features {
		for _, ext := range asked(f) {
			_, scripted := m.by[ext]
			if (scripted || ext == "raw") && !slices.Contains(listed, ext) {
				listed = append(listed, ext)
			}
		}
	}
	if len(listed) == len(builtin) && platform {
		listed = append(listed, "raw")
	}
	for _, ext := range listed {
		m.add(ext, nil)
	}
	for i := range m.out {
		m.out[i].Listed = slices.Contains(listed, m.out[i].Extension)
		if m.out[i].Extension == "raw" && m.out[i].Script == nil {
			m.diags = append(m.diags, checkLayout(features)...)
		}
	}
	return m.out, m.diags
}

// asked are the artifacts that a feature's files are named for. A script without
// an extension stands in for the built-in image, and asks for it as little as
// that does.
func asked(f *config.Feature) []string {
	var extensions []string
	for _, s := range tree.PartsOf(f).Images {
		if s.File != "image" {
			extensions = append(extensions, s.Makes)
		}
	}
	return append(extensions, tree.PartsOf(f).Asks...)
}

// checkLayout finds that nothing says how the built-in disk image is divided.
func checkLayout(features []*config.Feature) hcl.Diagnostics {
	if slices.ContainsFunc(features, func(f *config.Feature) bool { p := tree.PartsOf(f); return p.Fstab || p.FstabMod }) {
		return nil
	}
	f := features[len(features)-1]
	return hcl.Diagnostics{fault("No partition layout",
		fmt.Sprintf("None of the features (%s) has an fstab with the layout of the disk image, or a script image that makes the image in another way.", joinNames(features)), f.Range)}
}

func joinNames(features []*config.Feature) string {
	names := make([]string, len(features))
	for i, f := range features {
		names[i] = f.Name
	}
	return strings.Join(names, ", ")
}

// maker puts artifacts into the order in which they can be made.
type maker struct {
	by    map[string]Artifact // by extension, those of scripts
	state map[string]int      // 1 while what it takes is looked at, 2 after
	out   []Artifact
	diags hcl.Diagnostics
}

// add adds the artifact with that extension after what it is made of. path are
// the artifacts that wait for it.
func (m *maker) add(ext string, path []Artifact) {
	switch m.state[ext] {
	case 2:
		return
	case 1:
		last := path[len(path)-1]
		var round []string
		for _, a := range path[slices.IndexFunc(path, func(a Artifact) bool { return a.Extension == ext }):] {
			round = append(round, "."+a.Extension)
		}
		m.diags = append(m.diags, fault("Artifacts made of each other",
			fmt.Sprintf("%s of feature %q needs .%s, which is made from the artifact that the script makes: %s.", last.Script.File, last.Feature.Name, last.Takes, strings.Join(append(round, "."+ext), " takes ")), last.Script.Range))
		return
	}
	a, scripted := m.by[ext]
	if !scripted {
		if !slices.Contains(builtinArtifacts(), ext) {
			last := path[len(path)-1]
			m.diags = append(m.diags, fault("Nothing makes the artifact",
				fmt.Sprintf("%s of feature %q needs .%s, but no selected feature has a script image.%s or convert.%s that makes it.%s",
					last.Script.File, last.Feature.Name, ext, ext, ext, config.DidYouMean(ext, m.known())), last.Script.Range))
			m.state[ext] = 2
			return
		}
		a = Artifact{Extension: ext, Takes: "tar"}
		if ext == "tar" {
			a.Takes = ""
		}
	}
	m.state[ext] = 1
	if a.Takes != "" {
		m.add(a.Takes, append(path[:len(path):len(path)], a))
	}
	m.state[ext] = 2
	m.out = append(m.out, a)
}

func (m *maker) known() []string {
	known := builtinArtifacts()
	for ext := range m.by {
		known = append(known, ext)
	}
	slices.Sort(known)
	return slices.Compact(known)
}

// replacedLayouts warns of partition layouts that a later feature's replaces.
func replacedLayouts(features []*config.Feature) hcl.Diagnostics {
	var diags hcl.Diagnostics
	var layout *config.Feature
	for _, f := range features {
		if !tree.PartsOf(f).Fstab {
			continue
		}
		if layout != nil {
			at := hcl.Range{Filename: f.Dir + "/fstab", Start: hcl.InitialPos, End: hcl.InitialPos}
			d := fault("Several partition layouts", fmt.Sprintf("The fstab of %s replaces that of %s, because a disk has one layout and the last feature's fstab is used. An fstab.mod can change the layout of another feature.", f.Name, layout.Name), at)
			d.Severity = hcl.DiagWarning
			diags = append(diags, d)
		}
		layout = f
	}
	return diags
}
