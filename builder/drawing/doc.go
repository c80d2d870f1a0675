// Package drawing draws graphs of boxes and arrows, and charts of measurements, as SVG,
// without foreign programs.
//
// The one idea: a picture is a function of the graph or the chart alone. Boxes are arranged
// in rows by how far they are from the beginning, so that all arrows point down. Nothing here
// knows what the boxes and the lines are.
//
// The method is that of Sugiyama, Tagawa and Toda, "Methods for visual understanding of
// hierarchical system structures" (1981). docs/decisions.md says why it is not a library's.
package drawing
