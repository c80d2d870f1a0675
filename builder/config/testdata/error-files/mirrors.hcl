# What people write in place of an archive's URL.

flavour "dists" {
  distribution {
    suite  = "testing"
    mirror = "http://deb.debian.org/debian/dists/testing" # ERROR: Invalid mirror: "http://deb.debian.org/debian/dists/testing" goes on after the archive: write "http://deb.debian.org/debian", and suite = "testing".
  }
  features = ["base"]
}

flavour "bare" {
  distribution {
    suite  = "testing"
    mirror = "http://deb.debian.org/debian/dists/" # ERROR: Invalid mirror: "http://deb.debian.org/debian/dists/" goes on after the archive: write "http://deb.debian.org/debian".
  }
  features = ["base"]
}

flavour "pool" {
  distribution {
    suite  = "testing"
    mirror = "http://deb.debian.org/debian/pool" # ERROR: Invalid mirror: "http://deb.debian.org/debian/pool" goes on after the archive: write "http://deb.debian.org/debian".
  }
  features = ["base"]
}

flavour "secret" {
  distribution {
    suite  = "testing"
    mirror = "https://me:hidden@example.org/debian/dists" # ERROR: Invalid mirror: "https://me:hidden@example.org/debian/dists" goes on after the archive: write "https://me:xxxxx@example.org/debian".
  }
  features = ["base"]
}

flavour "file" {
  distribution {
    suite  = "testing"
    mirror = "https://example.org/apt/InRelease" # ERROR: Invalid mirror: "https://example.org/apt/InRelease" is that of a file of the archive: write "https://example.org/apt".
  }
  features = ["base"]
}

flavour "line" {
  distribution {
    suite  = "testing"
    mirror = "deb http://deb.debian.org/debian testing main" # ERROR: Invalid mirror: "deb http://deb.debian.org/debian testing main" is a line of sources.list: write its URL here, and suite and components in their own fields.
  }
  features = ["base"]
}

flavour "fine" {
  distribution {
    suite  = "testing"
    mirror = "file:///pool/tank/debian/"
  }
  features = ["base"]
}
