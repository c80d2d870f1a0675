# The small system for arm64, with a disk image and an extension. It is built on machines of
# either architecture; see docs/reference.md, "Another architecture".

flavour "debian-testing-arm64-ostree" {
  description = "A minimal Debian testing for arm64 as an OSTree repository and a disk image, with gdb and strace as an extension"
  extends     = "debian-minimal"

  distribution {
    suite = "testing"
    arch  = "arm64"
  }

  add_features = ["ostreeImage", "sysext-debug"]

  set "ostreeRepo" {
    os_name = "debian"
  }
}
