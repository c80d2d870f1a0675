#!/bin/bash
# Runs in the guest, from a disk that only tests bring: carries out the scripts
# that come over its port, one after the other.
#
#   to the host:    ready BOOT_ID               once a boot
#                   done ID STATUS OUTPUT       OUTPUT: base64, its end if long
#   from the host:  run ID SECONDS SCRIPT       SCRIPT: base64
set -u
cd "${0%/*}" || exit 1
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8

port=/dev/virtio-ports/org.treewright.agent
until [[ -e $port ]]; do sleep 0.2; done
exec 3<> "$port"
# The line before, of an earlier boot, may have been cut off.
printf '\nready %s\n' "$(< /proc/sys/kernel/random/boot_id)" >&3

while read -r word id seconds script <&3; do
	[[ $word == run ]] || continue
	base64 --decode <<< "$script" > order.bash
	timeout --kill-after=10 "$seconds" bash order.bash < /dev/null > output 2>&1 3>&-
	status=$?
	printf 'done %s %s %s\n' "$id" "$status" "$(tail --bytes=65536 output | base64 --wrap=0)" >&3
done
