flavour "elsewhere" {
  suite        = "trixie" # ERROR: Unknown field: There is no field "suite" here. It belongs in the distribution of the flavour.
  hostname     = "web" # ERROR: Unknown field: There is no field "hostname" here. It is the parameter "hostname" of the feature "base", which set gives a value.
  RemoveFiles  = ["/x"] # ERROR: Unknown field: There is no field "RemoveFiles" here. Did you mean "exclude_files"?
  root_password = "x" # ERROR: Unknown field: There is no field "root_password" here. Everyone who gets the commit could read a password, or its hash: give one of users ssh_keys and sudo, and set passwords on the machine.
  packges      = ["x"] # ERROR: Unknown field: There is no field "packges" here. Did you mean "packages"?
  source "acme" {} # ERROR: Unknown block: There is no block "source" here. It belongs in the distribution of the flavour.
  distribution {
    suite   = "trixie"
    release = "trixie" # ERROR: Unknown field: There is no field "release" here. Did you mean "suite"?
    source "acme" {
      urls      = ["https://a.example.org"]
      suites    = ["trixie"]
      signed_by = "a.asc" # ERROR: Unknown field: There is no field "signed_by" here. Did you mean "keyring"?
    }
  }
  features = ["base"]
}
