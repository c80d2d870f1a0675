// Package stage knows the kinds of stage, rootfs, commit, image and extension:
// which steps each plans, and what their actions do.
//
// The one idea: planning and acting are apart. A [Stage] turns a resolved
// flavour into steps, which are values; an action gets nothing but such a step
// and its mounted inputs, in a process and namespaces of its own.
package stage
