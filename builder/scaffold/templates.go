package scaffold

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
# docs/flavours.md of Treewright explains every field.
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

  # What the system gets besides, without a feature; docs/flavours.md has more of these.
  # packages = ["htop"]
  # files    = { "/etc/motd" = "Welcome\n" }
  # users    = { ben = { sudo = true } }
  # timezone = "Europe/Berlin"

  # Parameters of features; ./build list shows their names.
  # A line that is a comment shows an example.
SETTINGS}
`
