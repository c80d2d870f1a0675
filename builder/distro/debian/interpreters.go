package debian

// interpreters are the packages that bring an interpreter, the one to ask for first; then
// patterns of packages that need it. Those of every tree (bash, dash, perl, awk) are
// not among them.
var interpreters = map[string][]string{
	"python3": {"python3", "python3-*", "ipython3"},
	"ruby":    {"ruby", "ruby-*", "ruby[0-9]*"},
	"lua":     {"lua5.4", "lua5.*"},
	"node":    {"nodejs", "node-*", "npm"},
	"nodejs":  {"nodejs", "node-*", "npm"},
	"php":     {"php-cli", "php", "php[0-9]*"},
	"tclsh":   {"tcl", "tcl[0-9]*", "expect"},
	"expect":  {"expect"},
	"guile":   {"guile-3.0", "guile-*"},
	"zsh":     {"zsh"},
	"ksh":     {"ksh", "ksh93u+m", "mksh"},
	"mksh":    {"mksh"},
	"fish":    {"fish"},
	"busybox": {"busybox", "busybox-static"},
	"jq":      {"jq"},
	"make":    {"make", "build-essential"},
	"gawk":    {"gawk"},
	"nft":     {"nftables"},
}

// Brings are patterns of packages (path.Match) that bring an interpreter or need it,
// first the name of the one to ask for; nil if each tree has it, or nothing is known
// of it.
func (Family) Brings(program string) []string { return interpreters[program] }
