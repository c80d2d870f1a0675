variable "suite" {
  default = "testing"
}

variable "number" {
  type = "integer" # ERROR: Unsupported type: "integer" is not a type that is supported; it can be string, bool, int, list. Did you mean "int"?
}

variable "count" {
  type = "int"
  default = "3" # ERROR: Wrong type: The default of variable "count" has to be a whole number, not a string.
}

variable "lonely" {} # ERROR: Variable without a value: Variable "lonely" has no default, so a value must be given: --var lonely=VALUE, or TREEWRIGHT_VAR_lonely in the environment.

locals {
  a = local.b # ERROR: Cycle of locals: Local "a" needs itself: a -> b -> c -> a.
  b = "${local.c}"
  c = [local.a, local.c] # ERROR: Cycle of locals: Local "c" needs itself: c -> c.
  d = upper(var.sute) # ERROR: Unknown name: The name "var.sute" is not defined here. Did you mean "var.suite"?
  e = local.d
  f = local.nothing # ERROR: Unknown name: The name "local.nothing" is not defined here.
}

flavour "expressions" {
  description = "${suite} ${local.e}" # ERROR: Unknown name: The name "suite" is not defined here. Did you mean "var.suite"?
  distribution {
    suite = uper(var.suite) # ERROR: Call to unknown function: There is no function named "uper". Did you mean "upper"?
    mirror = matrix.suite # ERROR: Unknown name: The name "matrix.suite" is not defined here. Did you mean "var.suite"?
  }
  features = concat(["base"], ["pdoman"]) # ERROR: Unknown feature: There is no feature "pdoman". Did you mean "podman"?
}

flavour "matrix" {
  name = "${matrix.suite}-x"
  matrix = { suite = ["trixie", "testing"] }
  distribution {
    suite = matrix.suite
  }
  features = ["base", "debgu"] # ERROR: Unknown feature: There is no feature "debgu". Did you mean "debug"?
}

flavour "numbers" {
  matrix = {
    suite = ["trixie"]
    size = [1, 2] # ERROR: Wrong type: "size" in a matrix has to be a list of strings, but one of them is a number.
  }
  name = "numbers-${matrix.size}"
  distribution {
    suite = matrix.suite
    arch = "amd46" # ERROR: Unsupported architecture: "amd46" is not an architecture that is supported; it can be amd64, arm64. Did you mean "amd64"?
  }
  features = ["base"]
}

flavour "none" {
  matrix = { suite = [] } # ERROR: Empty list: Without a value for "suite" the matrix makes no flavour.
  features = ["base"]
}

flavour "list" {
  matrix = ["trixie"] # ERROR: Wrong type: "matrix" takes a mapping of names to lists of strings, not a list.
}

flavour "bare" {
  distribution { suite = testing } # ERROR: Unknown name: The name "testing" is not defined here. If it is text, put it in quotes: "testing".
  features = [base] # ERROR: Unknown name: The name "base" is not defined here. If it is text, put it in quotes: "base".
  packages = [upper(gdb)] # ERROR: Unknown name: The name "gdb" is not defined here.
}
