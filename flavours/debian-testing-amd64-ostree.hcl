# Debian testing with podman, kept as an OSTree repository, with a bootable
# image and the debugging tools as a system extension:
#
#     ./build debian-testing-amd64-ostree
#
# The fields are those of schema/flavour.schema.json, which describes the same
# language in its YAML form; flavours/debian-matrix.yaml is an example of that.

flavour "debian-testing-amd64-ostree" {
  description = "Debian testing as an OSTree system with podman"

  distribution {
    family = "debian"
    suite  = "testing"
    arch   = "amd64"
    mirror = "http://deb.debian.org/debian"
  }

  features = ["base", "podman", "ostreeRepo", "ostreeImage", "sysext-debug"]

  # Parameters are declared in features/NAME/info.yaml. The image has no remote
  # as long as remote_url is not set:
  #
  #     remote_url = "https://updates.example.org/debian-repo-amd64"
  #
  # Virtual machines of ./build run and ./build test get the repository of this
  # machine as their remote.
  set "ostreeRepo" {
    os_name = "debian"
  }
}
