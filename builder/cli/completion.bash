# Completion of treewright, and of ./build in a clone of it, for bash 4 or newer.
# shellcheck shell=bash
_treewright() {
	local program=${1/#\~\//$HOME/} words=() lines=() prefix='' i raw word plain quote

	# Other programs may be called build, too, and must not be started.
	if [[ ${program##*/} != treewright && ! -d ${program%/*}/builder/cmd/treewright ]]; then
		compopt -o default
		return
	fi

	# bash treats "=" and ":" as separate words. It replaces only the part of the last
	# word after them.
	for ((i = 1; i <= COMP_CWORD; i++)); do
		raw=${COMP_WORDS[i]}
		if ((i > 1)) && { [[ $raw =~ ^[=:]+$ ]] || [[ ${COMP_WORDS[i - 1]} =~ ^[=:]+$ ]]; }; then
			prefix=${words[-1]}
			words[-1]+=$raw
		else
			prefix=''
			words+=("$raw")
		fi
	done
	if [[ $raw =~ ^[=:]+$ ]]; then
		prefix=${words[-1]}
		raw=''
	fi
	for i in "${!words[@]}"; do
		_treewright_unquoted "${words[i]}"
		[[ ${words[i]} != \~/* ]] || plain=$HOME${plain#\~}
		words[i]=$plain
	done
	_treewright_unquoted "$prefix"
	prefix=$plain
	_treewright_unquoted "$raw"
	raw=$plain

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
			word=${word#"$prefix"}
			# After an open quote, bash appends the rest of the word unchanged.
			case $quote in
			\') word=${word//\'/\'\\\'\'} ;;
			\") [[ $word != *[\"\$\`\\]* ]] || continue ;;
			*) printf -v word %q "$word" ;;
			esac
			COMPREPLY+=("$word")
		done
		if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == */ ]]; then
			compopt -o nospace
		fi
		;;
	esac
}

# _treewright_unquoted sets plain to a word without its quotes, and quote to the quote that
# is still open at its end.
_treewright_unquoted() {
	local i c
	plain='' quote=''
	for ((i = 0; i < ${#1}; i++)); do
		c=${1:i:1}
		if [[ $c == "$quote" ]]; then
			quote=''
		elif [[ $c == \\ && $quote != \' ]]; then
			c=${1:i+1:1}
			((++i))
			[[ -z $quote || $c == [\"\$\`\\] ]] || plain+=\\
			plain+=$c
		elif [[ -z $quote && $c == [\"\'] ]]; then
			quote=$c
		else
			plain+=$c
		fi
	done
}
complete -F _treewright treewright build ./build
