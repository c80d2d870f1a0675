package build

// Estimates is how long the steps of outlines will take, by key.
var Estimates = Times.estimates

// Takes are such estimates as the engine gets them.
var Takes = takes
