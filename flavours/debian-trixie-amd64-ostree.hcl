# Debian stable with podman, kept as an OSTree repository, with a bootable image
# and the debugging tools as a system extension:
#
#     ./build debian-trixie-amd64-ostree
#
# It is debian-testing-amd64-ostree of another suite. Two things are different. The
# boot loader of the image is testing's, as trixie's does not read the boot entries
# that ostree writes; the running system has no package of testing. And trixie's
# ostree has no composefs, so the root is the directory of the deployment.

flavour "debian-trixie-amd64-ostree" {
  description = "Debian 13 (trixie) as an OSTree system with podman"
  extends     = "debian-testing-amd64-ostree"

  distribution {
    suite = "trixie"
  }

  set "ostreeRepo" {
    os_name = "debian-trixie"
  }
}
