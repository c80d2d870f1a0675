package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/treewright/treewright/builder/config"
)

var newVerb = &verb{
	name: "new", args: "feature|flavour NAME", summary: "write a commented starting point",
	details:  "Writes features/NAME/ or flavours/NAME.hcl. What is there already is never touched.",
	complete: "feature flavour", run: runNew,
}

// featureName is what a feature may be called.
var featureName = regexp.MustCompile(`^_?[A-Za-z0-9][A-Za-z0-9_.-]*$`)

func runNew(_ context.Context, c *command) error {
	if len(c.args) != 2 {
		return usagef("new wants `feature NAME` or `flavour NAME`")
	}
	kind, name := c.args[0], c.args[1]
	switch kind {
	case "feature":
		if !featureName.MatchString(name) {
			return usagef("%q is not a name for a feature: letters, digits, and - _ . within it (a leading _ makes a flag)", name)
		}
		return c.newFeature(name)
	case "flavour", "flavor":
		if !flavourName.MatchString(name) {
			return usagef("%q is not a name for a flavour: letters, digits, and - _ . within it", name)
		}
		return c.newFlavour(name)
	}
	return usagef("new makes a feature or a flavour, not a %q", kind)
}

func (c *command) newFeature(name string) error {
	dir := filepath.Join(c.options.dir, config.FeaturesDir, name)
	if _, err := os.Lstat(dir); err == nil {
		return usagef("there is a feature %q already", name)
	}
	kind := "element"
	if strings.HasPrefix(name, "_") {
		kind = "flag"
	}
	if strings.HasPrefix(name, "sysext-") {
		kind = "extension"
	}
	files := []struct {
		name, content string
		mode          os.FileMode
	}{
		{"info.yaml", strings.NewReplacer("NAME", name, "TYPE", kind).Replace(featureInfo), 0o644},
		{"pkg.include", featurePackages, 0o644},
		{"exec.config", strings.ReplaceAll(featureScript, "NAME", name), 0o755},
	}
	if kind == "extension" {
		files = files[:2]
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.name), []byte(f.content), f.mode); err != nil {
			return err
		}
		fmt.Fprintf(c.Out, "wrote %s/%s/%s\n", config.FeaturesDir, name, f.name)
	}
	fmt.Fprintf(c.Out, "\nName it in a flavour's features, and see docs/features.md for what else a feature can hold.\n")
	return nil
}

func (c *command) newFlavour(name string) error {
	dir := filepath.Join(c.options.dir, config.FlavoursDir)
	project, err := c.load()
	if err != nil {
		return err
	}
	for _, f := range project.Flavours {
		if f.Name == name {
			return usagef("there is a flavour %q already", name)
		}
	}
	file := filepath.Join(dir, name+".hcl")
	if _, err := os.Lstat(file); err == nil {
		return usagef("there is a file %s already", file)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(flavourStart, "NAME", name)), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(c.Out, "wrote %s/%s.hcl\n\nBuild it with: ./build %s\n", config.FlavoursDir, name, name)
	return nil
}

const featureInfo = `# yaml-language-server: $schema=../../schema/info.schema.json
description: What NAME adds to a system, in half a line
# platform, element, flag, or extension (a system extension of its own)
type: TYPE

# Features that come with this one, and features that must not be there:
# features:
#   include: [base]
#   exclude: []

# Values that a flavour can set; scripts find them as $PARAM_GREETING:
# parameters:
#   greeting:
#     type: string
#     default: hello
#     description: What to say
`

const featurePackages = `# One package a line. $arch is the architecture; a condition in brackets
# chooses: linux-image-cloud-$arch [amd64]
`

const featureScript = `#!/usr/bin/env bash
# Runs as root inside the tree, after packages and files are in place, without
# a network. This directory is at /builder/features/NAME meanwhile.
set -euo pipefail
`

const flavourStart = `# A system to build: ./build NAME
# docs/flavours.md explains every field.
flavour "NAME" {
  description = "What this system is for, in half a line"

  distribution {
    family = "debian"
    suite  = "testing"
    arch   = "amd64"
    mirror = "http://deb.debian.org/debian"
  }

  # base makes it boot, ostreeRepo commits it, ostreeImage makes a disk image.
  features = ["base", "ostreeRepo", "ostreeImage"]

  # Parameters of features; ./build list shows their names.
  set "base" {
    kernel = "cloud"
  }
}
`
