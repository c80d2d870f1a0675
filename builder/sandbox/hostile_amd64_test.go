package sandbox

import "golang.org/x/sys/unix"

// ofArchitecture are attacks that only machines of this architecture know.
var ofArchitecture = []attack{
	{"ports of the machine", func(string) error { return call(unix.SYS_IOPL, 3) }},
}
