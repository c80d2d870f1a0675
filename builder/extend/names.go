package extend

// Dir is the directory, beside a commit's repository, below which images are published. It has
//
//	COMMIT/ID.json       the document of an image, by [Request.ID]
//	COMMIT/ID.json.sig   a detached OpenPGP signature of the document, if the flavour is signed
//	COMMIT/SHA256.raw    an image, called by its SHA-256 as the document has it
//
// A builder that makes images on demand is asked by POST at the path of the directory itself.
const Dir = "extend"

// PoolDir is the directory, beside a commit's repository, with the packages that machines can add to its commits though the
// archive may not have them any more. It has
//
//	COMMIT/        the pool of a commit: an index in the form of the family of distributions, and its signature
//	files/         the packages of all pools, each called by its SHA-256
const PoolDir = "pool"

// Extension is what systemd calls the extension, on each machine: the image is named Extension.raw there. See
// extension-release in systemd-sysext(8).
const Extension = "added"

// DocumentFile is the path of a request's document, relative to [Dir] and slash-separated.
func (r Request) DocumentFile() string { return r.Commit + "/" + r.ID() + ".json" }

// SignatureFile is the path of the signature of that document, relative to [Dir].
func (r Request) SignatureFile() string { return r.DocumentFile() + ".sig" }

// ImageFile is the path of an image, relative to [Dir].
func (d *Document) ImageFile() string { return d.Commit + "/" + d.SHA256 + ".raw" }
