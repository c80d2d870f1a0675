flavour "archs" {
  distribution {
    suite         = "testing"
    architectures = ["i386", "amd64"]
  }
  features = ["base"]
}

flavour "odd" {
  extends = "archs"
  distribution {
    architectures = [
      "armhf",
      "armhf", # ERROR: Architecture named twice: "armhf" is in the list already.
      "i368",  # ERROR: Unknown architecture: "i368" is not an architecture of Debian; i386 and armhf are some. Did you mean "i386"?
    ]
  }
}
