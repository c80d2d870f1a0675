# Suites of Debian that are added to others, written as the one of a system.

flavour "experimental" {
  distribution {
    suite = "experimental" # ERROR: Suite for additions: The suite "experimental" has only packages that are tried out, for systems of sid: write suite = "sid", and let a source have the suite "experimental".
  }
  features = ["base"]
}

flavour "trixie-updates" {
  distribution {
    suite = "trixie-updates" # ERROR: Suite for additions: The suite "trixie-updates" has only packages that are added to "trixie": write suite = "trixie", to which it is added.
  }
  features = ["base"]
}

flavour "trixie-security" {
  distribution {
    suite = "trixie-security" # ERROR: Suite for additions: The suite "trixie-security" has only packages that are added to "trixie": write suite = "trixie", to which its security updates are added.
  }
  features = ["base"]
}

flavour "trixie-backports" {
  distribution {
    suite = "trixie-backports" # ERROR: Suite for additions: The suite "trixie-backports" has only packages that are added to "trixie": write suite = "trixie" and backports = true.
  }
  features = ["base"]
}

flavour "trixie-backports-sloppy" {
  distribution {
    suite = "trixie-backports-sloppy" # ERROR: Suite for additions: The suite "trixie-backports-sloppy" has only packages that are added to "trixie": write suite = "trixie", and let a source have this one.
  }
  features = ["base"]
}

flavour "proposed-updates" {
  distribution {
    suite = "proposed-updates" # ERROR: Suite for additions: The suite "proposed-updates" has only packages that are added to "stable": write suite = "stable", and let a source have this one.
  }
  features = ["base"]
}

# It is said where it is written.
flavour "more" {
  extends = "experimental"
}

# Of an archive with other keys, nothing is known.
flavour "own" {
  distribution {
    suite   = "experimental"
    mirror  = "https://example.org/own"
    keyring = "own.gpg"
  }
  features = ["base"]
}

flavour "empty" {
  distribution {
    suite   = "testing"
    mirror  = "https://example.org/own"
    keyring = "" # ERROR: Empty path: keyring has to be the path of a file; omit it if there is none.
    ca      = "" # ERROR: Empty path: ca has to be the path of a file; omit it if there is none.

    source "vendor" {
      urls    = ["https://example.org"]
      suites  = ["dists/stable"] # ERROR: Invalid source: "dists/stable" begins with dists/, where suites are in any case: write "stable".
      keyring = "" # ERROR: Empty path: keyring has to be the path of a file; omit it if there is none.
      ca      = "" # ERROR: Empty path: ca has to be the path of a file; omit it if there is none.
    }
  }
  features = ["base"]
}
