# Says when packages that were added are missing: before the prompt of an interactive
# bash, when it is new; in other shells at login. It starts no program.
if [ -n "${BASH_VERSION-}" ]; then
	__treewright_added() {
		local line=''
		[ ! -r /run/treewright/added-hint ] || read -r line < /run/treewright/added-hint
		[ -z "$line" ] || [ "$line" = "${__treewright_said-}" ] || printf 'treewright: %s\n' "$line" >&2
		__treewright_said=$line
	}
	case $- in
	*i*) PROMPT_COMMAND="__treewright_added${PROMPT_COMMAND:+; $PROMPT_COMMAND}" ;;
	esac
elif [ -t 2 ] && [ -r /run/treewright/added-hint ]; then
	cat /run/treewright/added-hint >&2
fi
