flavour "a" {
  distribution {
    suite = "testing"
  }
  features = ["f"]
  sign {
    public_keys = ["keys/release.asc", "./keys/release.asc"] # ERROR: Named twice: "./keys/release.asc" is in public_keys already.
    key         = "-rf" # ERROR: Invalid key: "-rf" cannot be a key of gpg: write the fingerprint, which gpg --list-secret-keys shows.
  }
}

flavour "b" {
  extends = "a"
  sign {
    public_keys = ["keys/relase.asc"] # ERROR: Cannot read public key: The file "keys/relase.asc", with keys that signatures must be of, cannot be read: the configuration tree does not have it. Did you mean "keys/release.asc"?
    key         = "/root/secret.key" # ERROR: Invalid key: "/root/secret.key" is the path of a file. A private key has no place in a configuration tree: give it with --sign-key FILE, and name its public key in public_keys.
  }
}

flavour "c" {
  extends = "a"
  sign {
    public_keys = ["keys/private.asc"] # ERROR: Cannot read public key: The file "keys/private.asc", with keys that signatures must be of, cannot be read: it is a private key: keep that out of the tree, and export the public one with gpg --armor --export.
    command     = ["sign"]
    home        = "" # ERROR: Empty path: home has to be the path of a file; omit it if there is none.
  }
}

flavour "d" {
  distribution {
    suite = "testing"
  }
  features = ["f"]
  sign { # ERROR: Empty block: The block sign needs public_keys, key or command; omit it for a system that is not signed.
  }
}

flavour "e" {
  extends = "d"
  sign {
    key     = "ABCD"
    command = ["sign"] # ERROR: Two signers: Either gpg signs, with key, or a command does; key is at flavours/sign.hcl:41.
  }
}

flavour "f" {
  extends = "d"
  sign {
    command = ["sign"] # ERROR: No public key: What a command signs is checked before it is published: name the public key in public_keys.
    home    = "gpg" # ERROR: Home without effect: home is where gpg has the key that signs, and key is not set.
  }
}

flavour "g" {
  extends = "d"
  sign {
    public_keys = [] # ERROR: Empty list: public_keys needs at least one element; omit it if there is none.
    command     = [""] # ERROR: Empty command: The first element of command has to be the name of a program.
    hom         = "gpg" # ERROR: Unknown field: There is no field "hom" here. Did you mean "home"?
  }
}
