# What people write in place of an archive's URL.

flavour "dists" {
  distribution {
    suite  = "testing"
    mirror = "http://deb.debian.org/debian/dists/testing" # ERROR: Invalid mirror: "http://deb.debian.org/debian/dists/testing" goes on after the archive: write "http://deb.debian.org/debian", and "testing" as the suite.
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

flavour "capital" {
  distribution {
    suite  = "testing"
    mirror = "HTTP://deb.debian.org/debian" # ERROR: Invalid mirror: "HTTP://deb.debian.org/debian" has capital letters in its scheme, which apt does not know: write "http://deb.debian.org/debian".
  }
  features = ["base"]
}

flavour "port" {
  distribution {
    suite  = "testing"
    mirror = "http://deb.debian.org:80800/debian" # ERROR: Invalid mirror: "http://deb.debian.org:80800/debian" has the port 80800; a port is a number of 1 to 65535.
  }
  features = ["base"]
}

flavour "nohost" {
  distribution {
    suite  = "testing"
    mirror = "http://:80/debian" # ERROR: Invalid mirror: "http://:80/debian" has no host.
  }
  features = ["base"]
}

flavour "blanks" {
  distribution {
    suite  = "testing"
    mirror = " http://deb.debian.org/debian" # ERROR: Invalid mirror: " http://deb.debian.org/debian" begins or ends with a blank: remove it.
  }
  features = ["base"]
}
