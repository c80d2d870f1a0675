// Package planner is a graph in the making: what there is to plan, how steps are
// added, and the steps that every stage needs, those of packages and tools.
//
// The one idea: stages talk by values. What a stage leaves for those after it is
// what its function returns; the planner itself only collects steps.
package planner
