variable "suite" {
  default     = "testing"
  description = "the suite"
}

variable "tries" {
  type    = "int"
  default = 3
}

variable "extra" {
  type    = "list"
  default = []
}

locals {
  repo = "${local.host}/repo"
  host = "http://${lower("EXAMPLE.org")}"
}

flavour "one" {
  description = "Plain"
  distribution {
    family     = "debian"
    suite      = var.suite
    arch       = "arm64"
    mirror     = "https://deb.debian.org/debian/"
    components = ["main", "non-free-firmware"]
    keyring    = "keys/ours.gpg"
  }
  features = concat(["base", "podman"], var.extra)
  set "base" {
    kernel  = "generic"
    docs    = true
    retries = var.tries
    locales = ["fr"]
  }
  set "ostreeRepo" {
    remote_url = local.repo
  }
}

flavour "parent" {
  abstract = true
  distribution {
    suite  = "trixie"
    mirror = "file:///srv/debian"
  }
  features = ["base", "podman", "_dev"]
  set "base" {
    kernel = "generic"
    docs   = true
  }
  set "podman" {
  }
}

flavour "child" {
  extends = "parent"
  distribution {
    arch = "arm64"
  }
  remove_features = ["_dev"]
  add_features    = ["ostreeRepo", "debug"]
  set "base" {
    docs    = false
    retries = 1
  }
}

flavour "many" {
  extends = "parent"
  matrix = {
    suite = ["trixie", "testing"]
    arch  = ["amd64", "arm64"]
  }
  name        = "many-${matrix.suite}-${matrix.arch}"
  description = "On ${matrix.suite} for $${arch}"
  distribution {
    suite = matrix.suite
    arch  = matrix.arch
  }
}

flavour "grandchild" {
  extends  = "many-testing-arm64"
  features = ["base"]
}
