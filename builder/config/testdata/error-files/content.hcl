flavour "content" {
  distribution { suite = "testing" }
  features     = ["base"]
  packages     = ["nginx", "nginx", 5] # ERROR: Package named twice: "nginx" is named already at flavours/content.hcl:4. | Wrong type: Each of packages takes a string, not a number. Put the value in quotes.
  add_packages = ["nginx", "curl"] # ERROR: Package named twice: "nginx" is named already at flavours/content.hcl:4.
  kernel_args  = ["quiet splash", "root=/dev/sda1", "console=ttyS0", "a\nb"] # ERROR: Invalid kernel argument: "quiet splash" has a blank in it. Write each argument as an element of its own; a value with blanks needs quotes in it, as in name="a b". | Invalid kernel argument: "root" cannot be set here, because the image stage writes it. | Invalid kernel argument: A kernel argument has to be one line of text, not "a\nb": there is a line end or another control character in it.
  timezone     = "America/New York" # ERROR: Invalid time zone: "America/New York" is not a time zone, as in Europe/Berlin or UTC. Did you mean "America/New_York"?
  locale       = "de_DE" # ERROR: Invalid locale: "de_DE" is not a locale in UTF-8, as in de_DE.UTF-8 or C.UTF-8. Did you mean "de_DE.UTF-8"?
  keymap       = "German keyboard" # ERROR: Invalid keymap: "German keyboard" is not the layout of a keyboard, as in de, us or de(nodeadkeys).
  files = {
    "etc/motd"             = "hello" # ERROR: Invalid path: "etc/motd" is not an absolute path, as in /etc/motd.
    "/etc/../motd"         = "hello" # ERROR: Invalid path: "/etc/../motd" is not written as plainly as it can be: /motd
    "/boot/x"              = "hello" # ERROR: File that cannot reach a machine: /boot/x: It is empty in a commit: on a machine it belongs to the boot loader. A kernel belongs beside its modules, at /usr/lib/modules/VERSION/vmlinuz; data of programs belongs below /usr/lib.
    "/"                    = "hello" # ERROR: Invalid path: Only a directory can be copied to /: write source.
    "/etc/number"          = 5 # ERROR: Wrong type: "/etc/number" takes a string or a mapping with content or source, not a number.
    "/etc/list"            = ["a"] # ERROR: Wrong type: "/etc/list" takes a string or a mapping with content or source, not a list.
    "/etc/empty"           = {} # ERROR: Missing content: /etc/empty needs content, which is the text of the file, or source, which is a file or directory to copy.
    "/etc/both"            = { content = "a", source = "b" } # ERROR: Two contents: /etc/both has both content and source; it can have only one of them.
    "/etc/mode"            = { content = "a", mode = "rw" } # ERROR: Invalid mode: "rw" is not a mode: three or four octal digits, as in "0644".
    "/etc/owner"           = { content = "a", owner = "www data" } # ERROR: Invalid user: "www data" cannot be the name or number of a user.
    "/etc/typo"            = { contents = "a", content = "a" } # ERROR: Unknown field: There is no field "contents" here. Did you mean "content"?
    "/etc/typed"           = { contents = "a" } # ERROR: Unknown field: There is no field "contents" here. Did you mean "content"?
    "/etc/ssh/ssh_host_x"  = "secret" # ERROR: Secret in the system: /etc/ssh/ssh_host_x is a host key of ssh, and everyone who gets the commit could read it. Put it on each machine in another way; or, if it is not a secret or may be public, write "/etc/ssh/ssh_host_x" = { ..., secret = true } in files.
    "/etc/ssh/ssh_host_y"  = { content = "secret", secret = true }
    "/etc/gone"            = { source = "README.md" } # ERROR: Missing source: There is no file or directory "README.md" in the configuration tree.
    "/etc/out"             = { source = "../x" } # ERROR: Invalid source: "../x" is not the name of a file or directory in the configuration tree, relative to the directory that flavours/ is in.
    "/etc/double"          = "a"
    "/etc/double"          = "b" # ERROR: Duplicate field: "/etc/double" is written twice; it is already at flavours/content.hcl:27.
    "/etc/file"            = "a"
    "/etc/file/below"      = "a" # ERROR: File below a file: /etc/file/below cannot be there, because /etc/file is a file (flavours/content.hcl:29).
    "/etc/null"            = null # ERROR: Nothing to remove: null removes an entry that the flavour takes over, and "/etc/null" is not in the files that it takes over.
  }
  units = {
    enable  = ["ssh", "nginx.servce", "a b", "foo.bar"] # ERROR: Invalid unit: "nginx.servce" does not end in a type of unit, such as .service or .timer. Did you mean "nginx.service"? | Invalid unit: "a b" cannot be the name of a unit, as in ssh.service. | Invalid unit: "foo.bar" does not end in a type of unit, such as .service or .timer.
    disable = ["ssh.service"] # ERROR: Unit named twice: "ssh.service" is already in enable at flavours/content.hcl:34.
    mask    = "x.service" # ERROR: Wrong type: "mask" takes a list of strings, not a string. Write ["x.service"]
    enabel  = ["x.service"] # ERROR: Unknown field: There is no field "enabel" here. Did you mean "enable"?
  }
  users = {
    root  = {} # ERROR: Invalid user: "root" is there already, and is not made by a flavour.
    www-data = {} # ERROR: Invalid user: "www-data" is the name of an account or group that Debian has, or reserved for one.
    Ada   = {} # ERROR: Invalid user: "Ada" cannot be the name of an account: small letters, digits, _ and - can, beginning with a letter.
    ada   = { password = "x", uid = 5 } # ERROR: Password in the system: An account of a flavour has no password: everyone who gets the commit could read it, or its hash. Write ssh_keys for the login and sudo = true for the rights of an administrator; a password is set on the machine, by passwd(1).
    bob   = { uid = 0, shell = "bash", home = "/", gecos = "a:b", groups = ["a b", "video", "video"], ssh_keys = ["AAAA"] } # ERROR: Invalid number: 0 cannot be the number of a user: 0 is root, 65534 is nobody, 65535 and 4294967295 mean no account. | Invalid path: "bash" is not a path that shell can be: it has to be absolute, as in /bin/bash. | Invalid path: "/" is not a path that home can be: it has to be absolute, as in /home/bob. | Invalid name: "a:b" cannot be in the user's entry: there must be no colon, comma, equals sign or line end in it. | Invalid group: "a b" cannot be the name of a group. | Group named twice: "video" is named already at flavours/content.hcl:44. | Invalid ssh key: Each of ssh_keys has to be an ssh public key, as in a line of authorized_keys ("ssh-ed25519 AAAA... name"); it begins neither with a type of key nor with an option of sshd.
    svc   = { system = true, ssh_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKqgVExFJZUluKoY9AArwJ97e1Sfx819/ZCv901E86mI x"] } # ERROR: Keys without effect: User "svc" has no home, where its keys would be: set home.
    one   = { uid = 1500 }
    two   = { uid = 1500 } # ERROR: Number given twice: 1500 is the number of user "one" already, at flavours/content.hcl:46.
    typo  = { sudoo = true } # ERROR: Unknown field: There is no field "sudoo" here. Did you mean "sudo"?
    str   = "x" # ERROR: Wrong type: "str" takes a mapping, which may be empty, not a string.
    float = { uid = "1500" } # ERROR: Wrong type: "uid" has to be a whole number, not a string.
  }
  groups = { sudo = {}, sensors = { gid = 65534 }, one = {}, a = { gid = 7000 }, b = { gid = 7000 } } # ERROR: Invalid group: "sudo" is the name of an account or group that Debian has, or reserved for one. | Invalid number: 65534 cannot be the number of a group: 0 is root, 65534 is nobody, 65535 and 4294967295 mean no account. | Account named twice: There is a user "one", and each user has a group of its own name. | Number given twice: 7000 is the number of group "a" already, at flavours/content.hcl:52.
  sysctl = {
    "ip_forward"          = 1 # ERROR: Invalid kernel parameter: "ip_forward" cannot be the name of a kernel parameter, as in net.ipv4.ip_forward.
    "net.ipv4.ip_forward" = true # ERROR: Wrong type: "net.ipv4.ip_forward" takes a string or a number, not true or false. Most kernel parameters that are on or off take 1 or 0.
    "net/ipv4/ip_forward" = 1 # ERROR: Duplicate field: "net/ipv4/ip_forward" is written twice; it is already at flavours/content.hcl:55.
    "kernel.x"            = "a\nb" # ERROR: Invalid value: "kernel.x" has to be one line of text, not "a\nb": there is a line end or another control character in it.
    "kernel.y"            = 1.5 # ERROR: Wrong type: "kernel.y" has to be a whole number of 64 bits, not 1.5.
    "kernel.z"            = ["a"] # ERROR: Wrong type: "kernel.z" takes a string or a number, not a list.
  }
}

flavour "types" {
  distribution { suite = "testing" }
  features = ["base"]
  files    = 5 # ERROR: Wrong type: "files" takes a mapping of paths to contents, or the name of a directory, not a number.
  units    = ["ssh"] # ERROR: Wrong type: "units" takes a mapping, not a list. Write enable = ["ssh"] in it.
  users    = ["ada"] # ERROR: Wrong type: "users" takes a mapping, not a list. Write the name as the key: ada = {}
  groups   = ["sudo", "x", "x"] # ERROR: Invalid group: "sudo" is the name of an account or group that Debian has, or reserved for one. | Group named twice: "x" is named already at flavours/content.hcl:69.
  sysctl   = "net.ipv4.ip_forward=1" # ERROR: Wrong type: "sysctl" takes a mapping, not a string.
  timezone = 5 # ERROR: Wrong type: "timezone" takes a string, not a number. Put the value in quotes.
}

flavour "unknown" {
  distribution { suite = "testing" }
  features = ["base"]
  files    = { "/etc/motd" = "hello ${local.nmae}" } # ERROR: Unknown name: The name "local.nmae" is not defined here.
  packages = [local.nmae] # ERROR: Unknown name: The name "local.nmae" is not defined here.
}

flavour "lists" {
  distribution { suite = "testing" }
  features = ["base"]
  files = {
    "/etc/shadow" = "root:*:::::::" # ERROR: File that cannot reach a machine: /etc/shadow: Packages and features add accounts to it, which a file in its place would take away. Write users and groups in the flavour, or add them in exec.accounts of a feature.
  }
}
