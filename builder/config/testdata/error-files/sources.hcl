flavour "sources" {
  distribution {
    suite = "trixie"
    security = "no" # ERROR: Wrong type: "security" takes true or false, not a string.
    security_mirror = "deb.debian.org" # ERROR: Invalid mirror: "deb.debian.org" is not a URL: it has to begin with http://, https:// or file://.
    source "vendor" {
      url = ["https://example.org"] # ERROR: Unknown field: There is no field "url" here. Did you mean "urls"?
      suites = ["./", "sta ble"] # ERROR: Invalid source: "sta ble" cannot be a suite: it is a directory below dists/, as in trixie, or one with an archive without components, as in ./
      components = ["contrib", "../x"] # ERROR: Invalid source: "../x" cannot be a component of an archive; main and contrib are some.
      architectures = ["AMD64"] # ERROR: Invalid source: "AMD64" is not an architecture of Debian; amd64 and i386 are some. Did you mean "amd64"?
      keyring = "missing.gpg" # ERROR: Missing keyring: The keyring "missing.gpg", which the release file must be signed by, does not exist.
      ca      = "missing.pem" # ERROR: Cannot read certificates: The file "missing.pem", with the certificate of the authority that the archive's servers are believed by, cannot be read: file does not exist.
      packages = ["docker-*", "[a-z]"] # ERROR: Invalid source: "[a-z]" is not a pattern of package names: small letters, digits, "+", "-" and "." mean themselves, "*" for any text, "?" for one character.
      priority = 0 # ERROR: Invalid priority: A priority is a whole number of -32768 to 32767, but not 0: see apt_preferences(5).
      on_machine = 1 # ERROR: Wrong type: "on_machine" takes true or false, not a number.
    }
    source "main" { # ERROR: Reserved name: The distribution's own sources are called main, security, updates, backports; what they are is said by its fields mirror, security_mirror, security, updates and backports.
      urls = ["ftp://example.org"] # ERROR: Invalid source: "ftp://example.org" has the scheme "ftp"; only http, https and file can be used.
      suites = [] # ERROR: Empty list: suites names nothing: omit it, or say what the source "main" has.
    }
    source "Two" { # ERROR: Incomplete source: The source "Two" needs urls. | Invalid name: "Two" cannot be a source's name: small letters, digits, . and - can, beginning with a letter or digit.
      packages = ["a", "a"] # ERROR: Named twice: "a" is in packages already.
      suites = ["stable"]
    }
    source "flat" {
      urls = ["https://example.org/", "https://example.org"] # ERROR: Named twice: "https://example.org" is in urls already.
      suites = ["sub/"]
      components = ["main"] # ERROR: Components without effect: The archive in the directory "sub/" has no components: omit them, or let another source have it.
    }
  }
  features = ["base"]
}

flavour "testing" {
  distribution {
    suite = "sid"
    security = true # ERROR: Suite without additions: Nothing is added to the suite "sid": what is new goes into the suite itself.
    updates = true # ERROR: Suite without additions: Nothing is added to the suite "sid": what is new goes into the suite itself.
    backports = true # ERROR: Suite without backports: There are no backports for the suite "sid".
  }
  features = ["base"]
}

flavour "vain" {
  distribution {
    suite           = "trixie"
    components      = ["main", "main"] # ERROR: Named twice: "main" is in components already.
    ca              = "ca.pem" # ERROR: Certificates without effect: Only https has certificates, and no URL of the archive begins with https://.
    security        = false
    security_mirror = "http://example.org/security" # ERROR: Mirror without effect: Nothing is taken from it, because security is false at flavours/sources.hcl:49. Leave out one of the two.
    source "debian-security" { # ERROR: Reserved name: On a machine, the file debian-security.sources lists what the distribution itself has. Give the source another name.
      urls   = ["http://example.org"]
      suites = ["stable"]
      ca     = "ca.pem" # ERROR: Certificates without effect: Only https has certificates, and no URL of the archive begins with https://.
    }
    source "disk" {
      urls       = ["file:///srv/own archive"] # ERROR: Invalid source: "file:///srv/own archive" is not a URL: in one, a blank is written "file:///srv/own%20archive".
      suites     = ["stable"]
    }
    source "local" {
      urls       = ["file:///srv/archive"]
      suites     = ["stable"]
      on_machine = true # ERROR: Source that machines cannot read: The source "local" is a directory of the machine that builds. Add the URL that machines read it from, or leave out on_machine.
    }
    source "both" {
      urls       = ["file:///srv/archive", "https://example.org/archive"]
      suites     = ["a/b", "a/../b"] # ERROR: Invalid source: "a/../b" cannot be a suite: it is a directory below dists/, as in trixie, or one with an archive without components, as in ./
      ca         = "ca.pem"
      on_machine = true
    }
  }
  features = ["base"]
}

flavour "unreleased" {
  distribution {
    suite           = "testing"
    security_mirror = "http://example.org/security" # ERROR: Mirror without effect: Nothing is taken from it: fixes go into the suite "testing" itself. Leave it out, or write security = true.
  }
  features = ["base"]
}

flavour "some" {
  matrix = { suite = ["trixie", "testing"] }
  name   = "some-${matrix.suite}"
  distribution {
    suite           = matrix.suite
    security_mirror = "http://example.org/security"
  }
  features = ["base"]
}
