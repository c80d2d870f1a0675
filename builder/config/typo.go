package config

// SuggestTypo returns the candidate that name is a slip of the finger away
// from: one edit, in a long name two. Among tens of thousands of names [Suggest]
// would always find something.
func SuggestTypo(name string, candidates []string) string {
	const long = 5 // letters to an edit
	best, at := "", min(len(name)/long, 2)+1
	for _, c := range candidates {
		if longer := len(c) - len(name); longer >= at || -longer >= at {
			continue
		}
		if d := distance(name, c); d < at {
			best, at = c, d
		}
	}
	return best
}
