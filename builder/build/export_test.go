package build

// Estimates is how long the steps of outlines will take, by key.
var Estimates = Times.estimates

// Takes returns estimates in the form that the engine uses.
var Takes = takes
