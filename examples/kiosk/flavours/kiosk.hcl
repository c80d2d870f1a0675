# A terminal in a lobby: it shows one page on its console. What is special to the
# place is in this file; how a page is shown is in features/page.
#
#     ./build -C examples/kiosk kiosk

flavour "kiosk" {
  description = "A terminal in the lobby that shows one page"

  distribution {
    suite = "testing"
  }

  features = ["ostreeImage", "page"]
  packages = ["less", "tree [arch=amd64]"]

  files = {
    "/etc/motd" = "Lobby. Call 1234 if this screen is dark.\n"
  }

  users = {
    ada = {
      gecos    = "Ada of the lobby"
      groups   = ["lobby"]
      sudo     = true
      ssh_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKqgVExFJZUluKoY9AArwJ97e1Sfx819/ZCv901E86mI ada"]
    }
    kiosk = { system = true }
  }
  groups = ["lobby"]

  units = {
    enable = ["kiosk"]
    mask   = ["getty@tty1"]
  }

  timezone    = "Europe/Berlin"
  locale      = "de_DE.UTF-8"
  keymap      = "de"
  kernel_args = ["quiet"]
  sysctl      = { "kernel.panic" = 10 }

  set "base" {
    hostname = "lobby"
  }

  set "ostreeRepo" {
    os_name = "kiosk"
  }

  set "page" {
    title = "Welcome to the lobby"
    lines = [
      { text = "Lifts: left", colour = "green" },
      { text = "Reception: second floor", colour = "yellow" },
    ]
  }
}
