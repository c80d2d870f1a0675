# The default system for people who develop on it: root is logged in on the
# console, and there is a second, tiny extension to play with. Not for a system
# in use.

flavour "debian-testing-amd64-dev" {
  description  = "debian-testing-amd64-ostree with a console that is logged in, and sysext-hello"
  extends      = "debian-testing-amd64-ostree"
  add_features = ["_dev", "sysext-hello"]

  set "ostreeRepo" {
    os_name = "debian-dev"
  }

  # A debugger may be led to any process of the same user.
  set "base" {
    ptrace_scope = "0"
  }
}
