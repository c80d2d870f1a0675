# A system to build: treewright example
flavour "example" {
  description = "What this system is for, in half a line"

  distribution {
    suite = "testing"
    arch  = "amd64"
  }

  # base makes it boot, ostreeRepo commits it, ostreeImage makes a disk image; these
  # are part of Treewright. hello is in features/.
  features = ["base", "ostreeRepo", "ostreeImage", "hello"]

  # What the system gets besides, without a feature; docs/flavours.md of Treewright has more of these.
  # packages = ["htop"]
  # files    = { "/etc/motd" = "Welcome\n" }
  # users    = { ben = { sudo = true } }
  # timezone = "Europe/Berlin"

  # Parameters of features. `treewright list` shows their names.
  set "base" {
    kernel   = "cloud"
    hostname = "example"
    # Who can log in, by ssh and with a key only:
    # user      = "anna"
    # user_keys = ["ssh-ed25519 AAAA... anna"]
  }

  set "hello" {
    greeting = "Hello from my own tree"
  }

  # Where machines get their upgrades, and where the next build finds the history.
  # set "ostreeRepo" {
  #   remote_url  = "https://updates.example.org/example/debian-repo-amd64"
  #   archive_url = "https://updates.example.org/example"
  # }
}
