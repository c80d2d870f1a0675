# The default system for development: root is logged in on the console, and there
# is a second, small extension to try. Not for a system in production.

flavour "debian-testing-amd64-dev" {
  description  = "debian-testing-amd64-ostree with a console that is logged in, and sysext-hello"
  extends      = "debian-testing-amd64-ostree"
  add_features = ["_dev", "sysext-hello"]

  set "ostreeRepo" {
    os_name = "debian-dev"
  }

  # A debugger may attach to any process of the same user.
  set "base" {
    ptrace_scope = "0"
  }
}
