package event

// Options are wishes about how events are shown.
type Options struct {
	// Verbose shows every line that a step writes, and each cached step.
	Verbose bool
	// NoColor leaves colours out of the live view. [Choose] sets it where there are
	// none.
	NoColor bool
}
