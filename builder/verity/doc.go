// Package verity signs what dm-verity protects: the root hash of an image, by which each byte
// of the image can be checked.
//
// The one idea: the root hash is all that a key has to see. So an image is made without
// keys, the same bytes each time, and the signature is written into the partition that is
// reserved for it when the image is published.
package verity
