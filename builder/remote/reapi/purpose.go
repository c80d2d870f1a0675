package reapi

// purpose has the words for what a connection is used for, as messages have them.
type purpose struct{ server, send, get string }

var (
	caching   = purpose{"the remote cache", "send a result", "get a result"}
	executing = purpose{"the remote execution", "send an input", "get an output"}
)
