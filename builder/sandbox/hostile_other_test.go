//go:build !amd64

package sandbox

// ofArchitecture are attacks that only machines of this architecture know.
var ofArchitecture []attack
