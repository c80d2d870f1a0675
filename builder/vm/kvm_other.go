//go:build !amd64

package vm

import "errors"

// CheckKVM explains why KVM cannot be used here: it was tried on amd64 only.
func CheckKVM(string) error { return errors.New("it is used on amd64 only, where it was tried") }
