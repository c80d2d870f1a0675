#compdef treewright
# Completion of treewright, and of ./build in a clone of it, for zsh. It can be sourced,
# or be the file _treewright in a directory of fpath.
_treewright() {
	local program=${${(Q)words[1]}/#\~\//$HOME/} word
	local -a lines whole open

	# Other programs may be called build, too, and must not be started.
	if [[ ${program:t} != treewright && ! -d ${program:h}/builder/cmd/treewright ]]; then
		_default
		return
	fi

	for word in "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}"; do
		lines+=("${word/#\~\//$HOME/}")
	done
	lines=("${(@f)$("$program" completion next -- "${lines[@]}" 2>/dev/null)}")
	case $lines[1] in
	directories)
		[[ $PREFIX == --*=* ]] && compset -P '*='
		_files -/
		;;
	files)
		[[ $PREFIX == *=* ]] && compset -P '*='
		_files
		;;
	words)
		for word in "${(@)lines[2,-1]}"; do
			if [[ $word == */ ]]; then
				open+=("$word")
			elif [[ -n $word ]]; then
				whole+=("$word")
			fi
		done
		compadd -a whole
		compadd -S '' -a open
		;;
	esac
}
if [[ $funcstack[1] == _treewright ]]; then
	_treewright "$@"
else
	if ((!$+functions[compdef])); then
		autoload -Uz compinit
		compinit -i
	fi
	compdef _treewright treewright build
fi
