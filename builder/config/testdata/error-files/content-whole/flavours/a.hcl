flavour "parent" {
  distribution { suite = "testing" }
  features = ["base"]
  users = {
    ada = { uid = 1500 }
    bob = { home = "/home/shared" }
  }
  groups = { sensors = { gid = 800 } } # ERROR: Number given twice: 800 is the number of group "cameras" already, at flavours/a.hcl:18.
}

flavour "child" {
  extends = "parent"
  users = {
    eve = { uid = 1500 } # ERROR: Number given twice: 1500 is the number of user "ada" already, at flavours/a.hcl:5.
    max = { home = "/home/shared" } # ERROR: Home of two users: /home/shared is the home of user "bob" already (flavours/a.hcl:6). A home belongs to one user, and nobody else can read it.
    zoe = { groups = ["zoe"] } # ERROR: Group of the user: Each user is in the group of its own name: leave it out.
  }
  groups = { cameras = { gid = 800 } }
}

flavour "numbers" {
  distribution { suite = "testing" }
  features = ["base"]
  users = {
    a = { uid = 33 } # ERROR: Invalid number: 33 cannot be the number of a user: numbers below 100 are Debian's own.
    b = { uid = 1500, system = true } # ERROR: Invalid number: 1500 cannot be the number of a user: with system = true, it has to be below 1000.
    c = { uid = 1500.5 } # ERROR: Wrong type: "uid" has to be a whole number of 64 bits, not 1500.5.
    d = { uid = 800, system = true }
    e = { uid = null }
  }
  groups = { g = { gid = 99 } } # ERROR: Invalid number: 99 cannot be the number of a group: numbers below 100 are Debian's own.
}

flavour "homes" {
  distribution { suite = "testing" }
  features = ["base"]
  users = {
    a = { home = "/etc" } # ERROR: Invalid home: /etc cannot be a home. It is there for others as well, and a home belongs to its user alone. Homes are below /home, those of services below /var/lib.
    b = { home = "/var/lib" } # ERROR: Invalid home: /var/lib cannot be a home. It is there for others as well, and a home belongs to its user alone. Homes are below /home, those of services below /var/lib.
    c = { home = "/usr/share/c" } # ERROR: Invalid home: /usr/share/c cannot be a home. It is part of the commit, and cannot be written to on a machine. Homes are below /home, those of services below /var/lib.
    d = { home = "/run/d" } # ERROR: Invalid home: /run/d cannot be a home. It is made again at each boot. A rule in /usr/lib/tmpfiles.d makes files there (tmpfiles.d(5)). Homes are below /home, those of services below /var/lib.
    e = { home = "/home/e" }
    f = { home = "/var/lib/f", system = true }
    g = { home = "/home" } # ERROR: Invalid home: /home cannot be a home. It is a link in a commit, so nothing else can have its name. Homes are below /home, those of services below /var/lib.
    h = { home = "/home/h/", uid = 1600 } # ERROR: Invalid path: "/home/h/" is not a path that home can be: it has to be absolute, as in /home/h.
  }
}

flavour "below" {
  distribution { suite = "testing" }
  features = ["base"]
  files = {
    "/etc/a"       = ""
    "/etc/a-b"     = ""
    "/etc/a/b"     = "" # ERROR: File below a file: /etc/a/b cannot be there, because /etc/a is a file (flavours/a.hcl:53).
    "/etc/a/b/c/d" = "" # ERROR: File below a file: /etc/a/b/c/d cannot be there, because /etc/a/b is a file (flavours/a.hcl:55).
    "/etc/f"       = { source = "file" }
    "/etc/f/g"     = "" # ERROR: File below a file: /etc/f/g cannot be there, because /etc/f is a file (flavours/a.hcl:57).
    "/etc/d"       = { source = "dir" }
    "/etc/d/e"     = ""
  }
}

flavour "top" {
  distribution { suite = "testing" }
  features = ["base"]
  files = {
    "/bin"  = "" # ERROR: File that cannot reach a machine: /bin: It is a directory in every system.
    "/lib"  = { source = "dir" }
    "/sbin" = { source = "file" } # ERROR: File that cannot reach a machine: file would become /sbin. It is a directory in every system.
    "/"     = { source = "dir" } # ERROR: File that cannot reach a machine: dir/bin would become /bin. It is a directory in every system.
  }
}

flavour "arguments" {
  distribution { suite = "testing" }
  features = ["base"]
  timezone = "localtime" # ERROR: Invalid time zone: "localtime" is not a time zone: it is whatever zone a machine has.
  kernel_args = [
    "a=\"b c\"",
    "a=\"b c", # ERROR: Invalid kernel argument: "a=\"b c" has a quote that is not closed. The kernel reads all that follows as a part of it.
    "a b=\"c d\"", # ERROR: Invalid kernel argument: "a b=\"c d\"" has a blank in it. Write each argument as an element of its own; a value with blanks needs quotes in it, as in name="a b".
  ]
}

flavour "language" {
  distribution { suite = "testing" }
  features = ["base"]
  locale   = "en" # ERROR: Invalid locale: "en" is not a locale in UTF-8, as in de_DE.UTF-8 or C.UTF-8. Did you mean "en_US.UTF-8"?
}

flavour "planned" {
  distribution { suite = "testing" }
  features = ["base"]
  locale   = "eo" # ERROR: Invalid locale: "eo" is not a locale in UTF-8, as in de_DE.UTF-8 or C.UTF-8.
}
