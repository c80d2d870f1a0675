package build

// Estimates is how long the steps of outlines will take, by key.
var Estimates = Times.estimates
