// Package divide divides things that are to be built into jobs for machines that do not
// share what they make.
//
// The one idea: a division depends on what is divided and on nothing else, so that machines
// which know nothing of each other divide in the same way, and together build each thing once.
package divide
