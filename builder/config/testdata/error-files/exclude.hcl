flavour "exclude" {
  distribution { suite = "testing" }
  features         = ["base"]
  packages         = ["nginx"]
  add_packages     = ["curl"]
  exclude_packages = ["nginx", "!curl", "nano", "nano", 5] # ERROR: Package added and excluded: "nginx" is added at flavours/exclude.hcl:4: leave out one of the two. | Package added and excluded: "curl" is added at flavours/exclude.hcl:5: leave out one of the two. | Package named twice: "nano" is named already at flavours/exclude.hcl:6. | Wrong type: Each of exclude_packages takes a string, not a number. Put the value in quotes.
  exclude_files = [
    "/usr/share/info/**",
    "/usr/share/info/**", # ERROR: Pattern named twice: "/usr/share/info/**" is named already at flavours/exclude.hcl:8.
    "usr/share/doc", # ERROR: Invalid pattern: "usr/share/doc" is not an absolute path, as in /etc/motd.
    "/usr//share/", # ERROR: Invalid pattern: "/usr//share/" is not written as plainly as it can be: /usr/share
    "/usr/share/a b", # ERROR: Invalid pattern: "/usr/share/a b" has a blank, a quote or a # in it, which patterns cannot have: write ? in its place.
    "/", # ERROR: Invalid pattern: "/" would remove the whole system.
    "/usr/**", # ERROR: Invalid pattern: "/usr/**" would remove a directory without which no system starts. Name what is to be removed below it.
    "/etc/", # ERROR: Invalid pattern: "/etc/" would remove a directory without which no system starts. Name what is to be removed below it.
    "/**/*.py", # ERROR: Invalid pattern: "/**/*.py" would remove a directory without which no system starts. Name what is to be removed below it.
    "/etc/mot?", # ERROR: File added and excluded: /etc/motd is added at flavours/exclude.hcl:21, and would be removed again: leave out one of the two.
    "/etc/app/", # ERROR: File added and excluded: /etc/app/a.conf is added at flavours/exclude.hcl:22, and would be removed again: leave out one of the two.
  ]
  files = {
    "/etc/motd"       = "hello"
    "/etc/app/a.conf" = "hello"
    "/etc/other"      = "hello"
  }
}
flavour "below" {
  extends       = "exclude"
  exclude_files = ["/etc/other"]
  packages      = ["nano"]
}
