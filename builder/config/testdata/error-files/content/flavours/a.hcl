flavour "kiosk" {
  distribution { suite = "testing" }
  features = ["base"]
  files    = "kiosk" # ERROR: File that cannot reach a machine: kiosk/boot/x would become /boot/x. It is empty in a commit: on a machine it belongs to the boot loader. A kernel belongs beside its modules, at /usr/lib/modules/VERSION/vmlinuz; data of programs belongs below /usr/lib.
}

flavour "missing" {
  distribution { suite = "testing" }
  features = ["base"]
  files    = "kiosks" # ERROR: Missing source: There is no file or directory "kiosks" in the configuration tree. Did you mean "kiosk"?
}

flavour "file" {
  distribution { suite = "testing" }
  features = ["base"]
  files    = "dir/file" # ERROR: Not a directory: "dir/file" is a file. The name of a directory means all that is in it; for one file, write files = { "/its/path" = { source = "dir/file" } }.
}

flavour "secret" {
  distribution { suite = "testing" }
  features = ["base"]
  files    = "secret" # ERROR: Secret in the system: /etc/ssh/ssh_host_a is a host key of ssh, and everyone who gets the commit could read it. Put it on each machine in another way; or, if it is not a secret or may be public, write "/etc/ssh/ssh_host_a" = { ..., secret = true } in files.
}

flavour "one" {
  distribution { suite = "testing" }
  features = ["base"]
  files = {
    "/srv/a"               = { source = "dir", mode = "0755" } # ERROR: Mode without effect: "dir" is a directory. A mode is for one file; files in a directory that are executable stay so.
    "/srv/b"               = { source = "dir", secret = true } # ERROR: Field without effect: "dir" is a directory. Name the file that may be secret by its own path.
    "/srv/1"               = { source = "drr/file" } # ERROR: Missing source: There is no file or directory "drr/file" in the configuration tree. Did you mean "dir/file"?
    "/srv/2"               = { source = "drr/fil" } # ERROR: Missing source: There is no file or directory "drr/fil" in the configuration tree.
    "/srv/3"               = { source = "dir/fil" } # ERROR: Missing source: There is no file or directory "dir/fil" in the configuration tree. Did you mean "dir/file"?
    "/"                    = { source = "dir", owner = "www-data" } # ERROR: Owner without effect: Directories of the whole system cannot get another owner: copy a directory to a path of its own.
    "/etc/ssh/ssh_host_a"  = { source = "secret/etc/ssh/ssh_host_a" } # ERROR: Secret in the system: /etc/ssh/ssh_host_a is a host key of ssh, and everyone who gets the commit could read it. Put it on each machine in another way; or, if it is not a secret or may be public, write "/etc/ssh/ssh_host_a" = { ..., secret = true } in files.
    "/etc/ssh/ssh_host_b"  = { source = "secret/etc/ssh/ssh_host_a", secret = true }
    "/srv/c"               = { source = "dir/flie" } # ERROR: Missing source: There is no file or directory "dir/flie" in the configuration tree. Did you mean "dir/file"?
  }
}
