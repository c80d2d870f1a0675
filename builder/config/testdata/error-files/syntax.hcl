flavour "a" {
  features = ["base" "podman"] # ERROR: Missing item separator: Expected a comma to mark the beginning of the next item.
}
