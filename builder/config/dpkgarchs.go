package config

// dpkgArchitectures are the names that dpkg uses for Debian on Linux, released and in
// ports, beside those that systems can be built for.
var dpkgArchitectures = []string{
	"amd64", "arm64", "armel", "armhf", "i386", "loong64", "mips64el", "powerpc", "ppc64", "ppc64el", "riscv64", "s390x", "x32",
}
