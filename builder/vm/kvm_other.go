//go:build !amd64

package vm

import "errors"

// CheckKVM says why KVM cannot be used here: the machines are of another
// architecture.
func CheckKVM() error { return errors.New("this machine is not amd64") }
