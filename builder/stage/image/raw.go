package image

// raw is the disk as it is: [DiskAction] makes it, and nothing is left to do.
var raw = Format{Name: "raw", Ending: ".raw", Description: "the disk image, for UEFI machines", QEMU: "raw"}
