// Package lint warns of what in a Garden Linux tree will not work, will work
// differently each time, should not be in an image, or means something else to
// the Garden Linux builder.
//
// The one idea: it looks only at the text, so it can be wrong both ways; so
// it only warns, and says what it has seen and where.
package lint
