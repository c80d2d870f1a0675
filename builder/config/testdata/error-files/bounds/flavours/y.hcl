variable "keys" { default = ["ssh-ed25519 AAAA"] }
flavour "y" {
  distribution { suite = "testing" }
  features = ["a"]
  set "a" {
    serial = "none or else" # ERROR: Invalid value: Parameter "serial" of feature "a" has to match the pattern [A-Z]{2}-[0-9]+|none as a whole; "none or else" does not. For example: "AB-12"
    tags   = [] # ERROR: Invalid value: Parameter "tags" of feature "a" has to have from 1 to 3 elements, not 0.
    motto  = "a long line" # ERROR: Invalid value: Parameter "motto" of feature "a" has to have from 3 to 10 characters, not 11.
    port   = 65536 # ERROR: Invalid value: Parameter "port" of feature "a" has to be from 1 to 65535, not 65536.
    people = [
      { name = "sshd" }, # ERROR: Invalid value: Field "name" of parameter "people" of feature "a" (element 1) has to be a name for a person; "sshd" is the name of a system account or group, or reserved for one. For example: "anna"
      {
        name = "bert",
        uid  = 12, # ERROR: Invalid value: Field "uid" of parameter "people" of feature "a" (element 2) has to be 1000 at least, not 12.
        home = "/home/bert", # ERROR: Unknown field: Parameter "people" of feature "a" (element 2) has no field "home", only name, uid, shell, keys. Did you mean "name"?
      },
      { name = "anna", keys = var.keys }, # ERROR: Invalid value: Field "keys" of parameter "people" of feature "a" (element 3) (element 1) has to be an ssh public key, as in a line of authorized_keys ("ssh-ed25519 AAAA... name"); the key is cut off.
    ]
  }
}
flavour "z" {
  distribution { suite = "testing" }
  features = ["a"]
  set "a" {
    people = { name = "anna" } # ERROR: Wrong type: Parameter "people" of feature "a" has to be a list of mappings, not a mapping.
    tags   = "x" # ERROR: Wrong type: Parameter "tags" of feature "a" has to be a list of strings, not a string.
  }
}
