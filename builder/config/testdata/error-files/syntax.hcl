flavour "a" {
  features = ["base" "podman"] # ERROR: Missing comma: A comma has to follow this item, as another one comes after it.
}
