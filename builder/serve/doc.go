// Package serve hands the output folder out over HTTP: OSTree repositories to
// pull from, images, tarballs and extensions to download. Devices upgrade from
// it, a virtual machine under test does, and a person can.
//
// The one idea: the manifests decide. A request is looked up in what the
// manifest.json of the flavours (.private/FLAVOUR/manifest.json) list, as they are
// now, and never in the file system; what is not an artifact cannot be asked for.
package serve
