// Package verity signs the root hash of an image with dm-verity, by which each byte of the
// image can be checked.
//
// The one idea: only the root hash is signed. So an image is made without keys, with the same
// bytes each time, and the signature is written into the partition that is reserved for it
// when the image is published.
package verity
