flavour "fields" {
  featurs = ["base"] # ERROR: Unknown field: There is no field "featurs" here. Did you mean "features"?
  description = 5 # ERROR: Wrong type: "description" takes a string, not a number. Put the value in quotes.
  abstract = "yes" # ERROR: Wrong type: "abstract" takes true or false, not a string.
  distribution {
    suite = ["testing"] # ERROR: Wrong type: "suite" takes a string, not a list.
    achr = "amd64" # ERROR: Unknown field: There is no field "achr" here. Did you mean "arch"?
    arch = "x86_64" # ERROR: Unsupported architecture: "x86_64" is not an architecture that is supported; it can be amd64, arm64. Did you mean "amd64"?
    family = "fedora" # ERROR: Unsupported family: "fedora" is not a family that is supported; it can be debian.
    mirror = "ftp://deb.debian.org" # ERROR: Invalid mirror: "ftp://deb.debian.org" has the scheme "ftp"; only http, https and file can be used.
    keyring = "missing.gpg" # ERROR: Missing keyring: The keyring "missing.gpg", which the release file must be signed by, does not exist.
    components = ["main", 5] # ERROR: Wrong type: Each of components takes a string, not a number. Put the value in quotes.
  }
  features = "base" # ERROR: Wrong type: "features" takes a list of strings, not a string. Write ["base"]
}

flavour "more" {
  distribution {
    suite = "Testing" # ERROR: Invalid suite: "Testing" cannot be the name of a suite: small letters, digits, ., + and - can. Did you mean "testing"?
    arch = "i386" # ERROR: Unsupported architecture: "i386" is not an architecture that is supported; it can be amd64, arm64.
    mirror = "deb.debian.org" # ERROR: Invalid mirror: "deb.debian.org" is not a URL: it has to begin with http://, https:// or file://. Did you mean "http://deb.debian.org"?
    components = [] # ERROR: Empty list: Without components there are no packages; omit the field to use main only.
  }
  features = ["base",
    "podmann", # ERROR: Unknown feature: There is no feature "podmann". Did you mean "podman"?
    "base", # ERROR: Feature named twice: "base" is named already at flavours/fields.hcl:24.
    null, # ERROR: Wrong type: Each of features takes a string, not null.
  ]
  set "bse" { # ERROR: Unknown feature: There is no feature "bse". Did you mean "base"?
    kernle = "cloud" # ERROR: Unknown parameter: Feature "base" has no parameter "kernle". Did you mean "kernel"?
  }
  set "base" {
    kernel = "generc" # ERROR: Value not allowed: Parameter "kernel" of feature "base" may be cloud, generic, not "generc". Did you mean "generic"?
    docs = "false" # ERROR: Wrong type: Parameter "docs" of feature "base" has to be true or false, not a string.
    retries = 1.5 # ERROR: Wrong type: Parameter "retries" of feature "base" has to be a whole number of 64 bits, not 1.5.
    locales = [1] # ERROR: Wrong type: Parameter "locales" of feature "base" has to be a list of strings, but one of them is a number.
    hostname = true # ERROR: Wrong type: Parameter "hostname" of feature "base" has to be a string, not true or false. Put the value in quotes.
  }
}

flavour "mirrors" {
  distribution {
    suite = "testing"
    mirror = "file://srv/debian" # ERROR: Invalid mirror: "file://srv/debian" has no absolute path: write file:///path.
    components = ["../main"] # ERROR: Invalid component: "../main" cannot be a component of an archive; main and contrib are some.
  }
  features = [] # ERROR: No features: Flavour "mirrors" has no features; a system is composed of at least one.
}

flavour "empty" {} # ERROR: Missing suite: Flavour "empty" needs a suite in its distribution, such as testing; there is no default for it. | No features: Flavour "empty" has no features; a system is composed of at least one.

flavour "a b" { # ERROR: Invalid name: "a b" cannot be a flavour's name: letters, digits, ., _ and - can, beginning with a letter or digit.
  distribution {
    suite = "testing"
    mirror = "http://" # ERROR: Invalid mirror: "http://" has no host.
  }
  features = ["base"]
}
