variable "suite" { default = "testing" }

locals { x = 1 }

flavour "one" {
  distribution { suite = var.suite }
  features = ["base"]
}

flavour "one" { # ERROR: Duplicate flavour: There is a flavour "one" already at flavours/a.hcl:5.
  distribution { suite = var.suite }
  features = ["nothing"] # ERROR: Unknown feature: There is no feature "nothing".
}
