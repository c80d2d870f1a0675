# Completion of treewright, and of ./build in a clone of it, for bash 4 or newer.
# shellcheck shell=bash
_treewright() {
	local program=${1/#\~\//$HOME/} words=() lines=() prefix='' i raw word

	# Other programs may be called build, too, and must not be started.
	if [[ ${program##*/} != treewright && ! -d ${program%/*}/builder/cmd/treewright ]]; then
		compopt -o default
		return
	fi

	# bash takes "=" and ":" for words of their own. What is left of the last one is
	# what it replaces.
	for ((i = 1; i <= COMP_CWORD; i++)); do
		raw=${COMP_WORDS[i]}
		if ((i > 1)) && { [[ $raw =~ ^[=:]+$ ]] || [[ ${COMP_WORDS[i - 1]} =~ ^[=:]+$ ]]; }; then
			prefix=${words[-1]}
			words[-1]+=$raw
		else
			prefix=''
			words+=("${raw/#\~\//$HOME/}")
		fi
	done
	if [[ $raw =~ ^[=:]+$ ]]; then
		prefix=${words[-1]}
		raw=''
	fi

	mapfile -t lines < <("$program" completion next -- "${words[@]}" 2>/dev/null)
	case ${lines[0]-} in
	directories)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -d -- "$raw")
		;;
	files)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$raw")
		;;
	words)
		for word in "${lines[@]:1}"; do
			printf -v word %q "${word#"$prefix"}"
			COMPREPLY+=("$word")
		done
		if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == */ ]]; then
			compopt -o nospace
		fi
		;;
	esac
}
complete -F _treewright treewright build ./build
