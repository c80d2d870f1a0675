# A third party's packages beside Debian's, and a package that is in no archive. The
# archive is the vendor's; keys/vendor.asc has the keys that it is signed by.
#
#     ./build -C examples/vendor vendor --var archive=https://packages.example.org/debian

variable "archive" {
  default     = "https://packages.example.org/debian"
  description = "The URL of the vendor's package archive."
}

flavour "vendor" {
  description = "A system with packages of a vendor"

  distribution {
    suite = "trixie"

    # From the vendor come only packages of these names, and these come from
    # nowhere else. The machine's apt knows the archive, too.
    source "vendor" {
      urls       = [var.archive]
      suites     = ["stable"]
      components = ["main"]
      keyring    = "keys/vendor.asc"
      packages   = ["vendor-*", "hello"]
      on_machine = true
    }
  }

  features = ["ostreeRepo", "greeting"]
  packages = ["vendor-agent", "hello"]

  set "ostreeRepo" {
    os_name = "vendor"
  }
}
