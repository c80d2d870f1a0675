// Package stage lists the kinds of stage of a flavour, rootfs, commit, image and
// extension, in the order in which they are planned, and their actions. Each is in
// a directory of its own below, plan and actions together.
//
// The one idea: planning and acting are apart. A stage's Plan turns a resolved
// flavour into steps, which are values; an action gets nothing but such a step and
// its mounted inputs, in a process and namespaces of its own.
package stage
