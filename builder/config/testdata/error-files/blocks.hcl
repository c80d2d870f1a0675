flavor "a" { # ERROR: Unknown block: There is no block "flavor" here. Did you mean "flavour"?
}

flavour { # ERROR: Wrong labels: A flavour block takes 1 label(s), not 0: write flavour "name" { ... }
}

flavour "b" {
  distribution = { suite = "testing" } # ERROR: Block expected: "distribution" is a block: write it without the equals sign, distribution { ... }
  features { # ERROR: Value expected: "features" is not a block but a field: write features = ...
  }
  set "base" {
    kernel { # ERROR: Unknown block: There is no block "kernel" here, only names with values: write kernel = ...
    }
  }
  set "base" { # ERROR: Duplicate block: Parameters of feature "base" are set already at flavours/blocks.hcl:11.
  }
  description = "one"
  description = "two" # ERROR: Duplicate field: "description" is written twice; it is already at flavours/blocks.hcl:17.
}

flavour "c" {
  distribution {
    suite = "testing"
  }
  distribution { # ERROR: Duplicate block: There can be one distribution block; it is already at flavours/blocks.hcl:22.
    arch = "arm64"
  }
  features = ["base"]
}

flavour "d" {
  distribution {
    siute = "testing" # ERROR: Unknown field: There is no field "siute" here. Did you mean "suite"?
  }
  featurs = ["base"] # ERROR: Unknown field: There is no field "featurs" here. Did you mean "features"?
}
