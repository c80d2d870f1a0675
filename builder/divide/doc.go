// Package divide divides items that are to be built into jobs for machines that do not
// share their results.
//
// The one idea: a division depends on its items alone. So machines that do not know of each
// other divide in the same way, and together they build each item once.
package divide
