package config

// RemoteServer is a server on another machine. Fields that the tree does not set are empty.
type RemoteServer struct {
	// URL has one of [RemoteCacheForms] or [RemoteExecForms].
	URL Line
	// Authority, Certificate and Key are files (PEM), absolute or relative to the tree.
	Authority, Certificate, Key Line
}

// RemoteCache is a cache of results on another machine.
type RemoteCache struct {
	RemoteServer
	// Push is true if this machine stores its results in the cache.
	Push bool
}

// RemoteExec is a server for remote execution.
type RemoteExec struct {
	RemoteServer
	// Platform are properties that workers must have; see [ParseProperty].
	Platform []Line
}
