// Package trial tries in a machine what was built: for a person who wants to look
// at it, and for tests.
//
// The one idea: the builder makes artifacts and knows nothing of machines, the
// machine boots an image and knows nothing of flavours; what the one has for the
// other is put together here.
package trial
