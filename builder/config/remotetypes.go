package config

// RemoteServer is a server on another machine. Fields that are not written are empty.
type RemoteServer struct {
	URL Line
	// Authority, Certificate and Key are files (PEM), absolute or relative to the tree.
	Authority, Certificate, Key Line
}

// RemoteCache is a cache of results on another machine.
type RemoteCache struct {
	RemoteServer
	// Push is whether results are put there.
	Push bool
}

// RemoteExec is a server that has steps carried out by other machines.
type RemoteExec struct {
	RemoteServer
	// Platform are properties that workers must have; see [ParseProperty].
	Platform []Line
}
