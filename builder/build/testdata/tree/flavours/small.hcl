flavour "small" {
  distribution {
    suite = "testing"
    arch  = "amd64"
  }
  features = ["base", "repo"]
}
