package reapi

// purpose describes the use of a connection in messages.
type purpose struct{ server, send, get string }

var (
	caching   = purpose{"the remote cache", "send a result", "get a result"}
	executing = purpose{"the remote execution", "send an input", "get an output"}
)
