// Package serve serves the output directory over HTTP: OSTree repositories to
// pull from, images, tarballs and extensions to download. Devices upgrade from
// it, and so does a virtual machine under test.
//
// The one idea: the manifests decide. A request is looked up in the artifacts
// that the manifest.json of the flavours (.private/FLAVOUR/manifest.json) list at
// that moment, and never in the file system; what is not an artifact is not
// served. The page with all of it is a function of the manifests and the repositories, so a
// file with it says the same on any other web server.
package serve
