// Package imagetool holds the programs that image scripts of Garden Linux
// trees expect on PATH: makepart, makedisk, make_reproducible_ext4,
// make_reproducible_vfat, make_reproducible_swap, uuid_hash, mv_data,
// resizefat32 and datefudge. Their options, the lines they exchange and every identifier
// derived in them are those of the Garden Linux builder.
//
// The one idea: a program is a Go function on a struct, with its command line
// as a thin front, so that a stage of ours calls what a script calls.
package imagetool
