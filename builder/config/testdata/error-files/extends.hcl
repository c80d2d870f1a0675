flavour "base" {
  distribution {
    suite = "testing"
  }
  features = ["base", "podman"]
}

flavour "orphan" {
  extends = "bsae" # ERROR: Unknown flavour: There is no flavour "bsae" to extend. Did you mean "base"?
  remove_features = ["ostreeRepo"]
}

flavour "removes" {
  extends = "base"
  remove_features = ["podmann"] # ERROR: Feature not there: "podmann" cannot be removed, because it is not in the list of features. Did you mean "podman"?
  add_features = ["base"] # ERROR: Feature named twice: "base" is named already at flavours/extends.hcl:5.
}

flavour "all" {
  extends = "base"
  features = ["base"] # ERROR: No features: Flavour "all" has no features; a system is composed of at least one.
  remove_features = ["base"]
}

flavour "x" {
  extends = "z" # ERROR: Flavours extend each other: Flavour "x" extends itself: x -> z -> y -> x.
}

flavour "y" {
  extends = "x"
}

flavour "z" {
  extends = "y"
}
