variable "more" {
  type    = "bool"
  default = false
}

flavour "parent" {
  distribution { suite = "testing" }
  features = ["base"]
  files    = { "/etc/motd" = "hello\n", "/etc/other" = "x" }
  users    = { ada = {} }
  groups   = { sensors = {} }
  sysctl   = { "kernel.panic" = 10 }
}

flavour "child" {
  extends = "parent"
  files = {
    "/etc/motd" = null
    "/etc/othr" = null # ERROR: Nothing to remove: null removes an entry that the flavour takes over, and "/etc/othr" is not in the files that it takes over. Did you mean "/etc/other"?
    "/etc/more" = var.more ? "x" : null
  }
  users  = { ada = null, bob = null } # ERROR: Nothing to remove: null removes an entry that the flavour takes over, and "bob" is not in the users that it takes over.
  groups = { sensor = null } # ERROR: Nothing to remove: null removes an entry that the flavour takes over, and "sensor" is not in the groups that it takes over. Did you mean "sensors"?
  sysctl = { "kernel/panic" = null, "kernel.x" = null } # ERROR: Nothing to remove: null removes an entry that the flavour takes over, and "kernel.x" is not in the sysctl that it takes over.
}

flavour "grandchild" {
  extends = "child"
  files   = { "/etc/motd" = null } # ERROR: Nothing to remove: null removes an entry that the flavour takes over, and "/etc/motd" is not in the files that it takes over. Did you mean "/etc/other"?
}
