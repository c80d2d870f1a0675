// Package layer keeps the results of steps and mounts trees made of them.
//
// The one idea: a result is a directory named by its step's key that appears by
// rename and is never changed afterwards. A layer is an overlayfs upper
// directory as the kernel left it; a tree is a mount of a stack of them.
package layer
