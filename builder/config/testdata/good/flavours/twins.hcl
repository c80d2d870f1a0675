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

flavour "content" {
  extends     = "grandchild"
  packages    = ["nginx-light", "linux-image-$arch [amd64]"]
  exclude_packages = ["nano", "!exim4"]
  exclude_files    = ["/usr/share/info/**", "/etc/app.d/*.bak"]
  kernel_args = ["quiet", "dyndbg=\"file x +p\""]
  files = {
    "/etc/motd"       = "Welcome to ${local.host}\n"
    "/etc/app.conf"   = { content = "a = 1\n", mode = "0640", group = "app" }
    "/etc/removed"    = "here only\n"
    "/usr/share/base" = { source = "features/base", owner = "ada" }
  }
  units = {
    enable  = ["nginx", "getty@tty2.service"]
    disable = ["ssh.socket"]
    mask    = ["apt-daily.timer"]
  }
  users = {
    ada = {
      uid      = 1500
      gecos    = "Ada Lovelace"
      groups   = ["video"]
      ssh_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKqgVExFJZUluKoY9AArwJ97e1Sfx819/ZCv901E86mI ada"]
      sudo     = true
    }
    app = { system = true }
  }
  groups   = ["sensors"]
  timezone = "Europe/Berlin"
  locale   = "de_DE.UTF-8"
  keymap   = "de(nodeadkeys),us"
  sysctl   = { "net.ipv4.ip_forward" = 1, "net/ipv4/conf/eth0.1/forwarding" = "1" }
}

flavour "content-child" {
  extends      = "content"
  add_packages = ["curl"]
  files        = { "/etc/motd" = "Other\n", "/etc/removed" = null }
  units        = { mask = ["nginx.service"] }
  users        = { ada = null, app = { system = true, home = "/var/lib/app" } }
  groups       = { cameras = { gid = 700, system = true } }
  timezone     = "UTC"
  sysctl       = { for name in ["rx", "tx"] : "net.core.${name}" => "1" }
}

flavour "content-directory" {
  extends     = "content-child"
  packages    = []
  exclude_packages = []
  kernel_args = []
  files       = "features/base"
}

flavour "stable" {
  features = ["base"]
  distribution {
    suite     = "bookworm"
    backports = true
    source "vendor" {
      urls       = ["https://vendor.example.org/apt/", "http://mirror.example.org/vendor"]
      suites     = ["bookworm", "bookworm-next"]
      components = ["stable"]
      keyring    = "keys/vendor.asc"
      packages   = ["vendor-*", "tool"]
      priority   = 990
      on_machine = true
    }
  }
}

flavour "stable-child" {
  extends = "stable"
  distribution {
    security = false
    source "vendor" {
      suites        = ["bookworm-next"]
      priority      = -1
      architectures = ["amd64"]
    }
    source "flat" {
      urls   = ["file:///srv/packages"]
      suites = ["./"]
    }
  }
}

flavour "mirrored" {
  features = ["base"]
  distribution {
    suite           = "trixie"
    mirror          = "https://mirror.example.org/debian"
    components      = ["main", "own"]
    keyring         = "keys/own.gpg"
    security_mirror = "https://mirror.example.org/security/"
    updates         = true
  }
}
