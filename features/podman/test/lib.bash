# shellcheck shell=bash
# For the tests beside this file.
fail() { echo "$*" >&2; exit 1; }

# rootfs writes a tar file of the smallest root that a shell script runs in: no
# image is pulled, so no network is needed.
rootfs() {
	local files
	files=$(ldd /usr/bin/{bash,cat,sleep} | grep -o '/[^ :]*' | sort -u)
	# shellcheck disable=SC2086
	tar --create --dereference --absolute-names --transform='s|^/||' $files
}
