package imagetool

// Programs are all of them.
func Programs() []Program {
	return []Program{
		{"makepart", "make the partitions that an fstab on standard input asks for", "[--consume] ROOTFS", runMakePart},
		{"makedisk", "make a disk image of partitions, as makepart lists them, on standard input", "ROOTFS IMAGE", runMakeDisk},
		{"make_reproducible_ext4", "make an ext4 file system from a directory", "[-t TIMESTAMP] [-h HASH_PREFIX] [-u UUID] [-l LABEL] [-q] [-m] [-p MIB] [-j] SOURCE TARGET", runExt4},
		{"make_reproducible_vfat", "make a FAT32 file system from a directory", "[-t TIMESTAMP] [-h HASH_PREFIX] [-u VOLUME_ID] [-l LABEL] SOURCE TARGET", runVFAT},
		{"make_reproducible_swap", "make a swap area", "[-h HASH_PREFIX] [-u UUID] [-l LABEL] TARGET", runSwap},
		{"uuid_hash", "print the hash of standard input in the form of a UUID", "", runUUIDHash},
		{"mv_data", "move data from one file into another, freeing it there", "--input FILE [--input-offset N] --output FILE [--output-offset N] [--length N]", runMoveData},
		{"datefudge", "run a program at another time", "[-s] @SECONDS PROGRAM [ARGUMENT]...", runDateFudge},
		{"resizefat32", "change the size of a FAT32 volume", "[-s min|max|SIZE] [-t] FILE", runResizeFAT32},
	}
}
