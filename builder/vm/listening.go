package vm

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// listSockets writes down who can be reached by whom: lines of the kernel's
// tables of sockets in state LISTEN (0A) or, as datagrams have no such state,
// not connected (07), and for each of them who holds it. Nothing is needed for
// it but what every Debian has.
const listSockets = `
for table in tcp tcp6 udp udp6 raw raw6; do
	[[ ! -e /proc/net/$table ]] || awk -v "table=$table" '$4 == "0A" || $4 == "07" { print "socket", table, $2, $10 }' "/proc/net/$table"
done > sockets
cat sockets
awk '{ print "socket:[" $4 "]" }' sockets > inodes
[[ -s inodes ]] || exit 0
# Processes come and go meanwhile.
{ find /proc/[0-9]*/fd -lname 'socket:*' -printf '%h %l\n' 2> /dev/null || true; } | { grep --fixed-strings --file=inodes || true; } | while read -r dir link; do
	dir=${dir%/fd}
	{ read -r name < "$dir/comm"; read -r group < "$dir/cgroup"; } 2> /dev/null || continue
	inode=${link#socket:[}
	echo "holder ${inode%]} ${group##*/} $name"
done
`

// listener is a socket of a guest that is not connected.
type listener struct {
	// name is "tcp/22", as features name it.
	name string
	addr netip.Addr
	// holder is who has it open, "" if that is not known.
	holder string
}

// parseListeners reads what [listSockets] prints.
func parseListeners(text string) ([]listener, error) {
	holders := map[string][]string{}
	for line := range strings.Lines(text) {
		if f := strings.SplitN(strings.TrimSpace(line), " ", 4); f[0] == "holder" && len(f) == 4 {
			who := fmt.Sprintf("%s (%s)", f[3], f[2])
			if f[2] == "init.scope" {
				who = "systemd, for a socket unit (systemctl list-sockets)"
			}
			if !slices.Contains(holders[f[1]], who) {
				holders[f[1]] = append(holders[f[1]], who)
			}
		}
	}
	var all []listener
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0] != "socket" {
			continue
		}
		if len(f) != 4 {
			return nil, fmt.Errorf("%q is not a line of a table of sockets", line)
		}
		addr, port, err := parseEndpoint(f[2])
		if err != nil {
			return nil, fmt.Errorf("table of sockets: %q: %w", line, err)
		}
		all = append(all, listener{fmt.Sprintf("%s/%d", strings.TrimSuffix(f[1], "6"), port), addr, strings.Join(holders[f[3]], ", ")})
	}
	return all, nil
}

// parseEndpoint reads an address as the kernel's tables have it: words of 32
// bits as this kind of machine stores them, in hexadecimal, a colon, the port.
func parseEndpoint(s string) (addr netip.Addr, port int, err error) {
	host, service, _ := strings.Cut(s, ":")
	raw, err := hex.DecodeString(host)
	if err != nil {
		return addr, 0, err
	}
	if len(raw)%4 != 0 {
		return addr, 0, fmt.Errorf("%q is not an address", host)
	}
	for word := range slices.Chunk(raw, 4) {
		slices.Reverse(word) // virtual machines run on little-endian ones only
	}
	addr, ok := netip.AddrFromSlice(raw)
	number, err := strconv.ParseUint(service, 16, 16)
	if !ok || err != nil {
		return addr, 0, fmt.Errorf("%q is not an address with a port", s)
	}
	return addr.Unmap(), int(number), nil
}

// undeclared says, in lines, which sockets other machines can reach without a
// feature's word for it; "" if there are none.
func undeclared(all []listener, declared []string) string {
	where := map[string][]string{}
	for _, l := range all {
		if l.addr.IsLoopback() || slices.Contains(declared, l.name) {
			continue
		}
		by := l.holder
		if by == "" {
			by = "the kernel, or a process that has ended"
		}
		if at := fmt.Sprintf("on %s, by %s", l.addr, by); !slices.Contains(where[l.name], at) {
			where[l.name] = append(where[l.name], at)
		}
	}
	if len(where) == 0 {
		return ""
	}
	var b strings.Builder
	names := sortedKeys(where)
	b.WriteString("other machines can reach sockets that no feature declares:\n")
	for _, name := range names {
		for _, at := range where[name] {
			fmt.Fprintf(&b, "  %s %s\n", name, at)
		}
	}
	fmt.Fprintf(&b, "Turn off the programs that open them; or, if they are intended, write to info.yaml of the feature that adds them\n  listens: [%s]", strings.Join(names, ", "))
	return b.String()
}

// listening is the point that nothing listens but what features name.
func (s *Scenario) listening(ctx context.Context, group, name string) {
	s.point(ctx, group, name, false, func() error {
		out, err := s.output(ctx, "a look at sockets", listSockets)
		if err != nil {
			return err
		}
		all, err := parseListeners(out)
		if err != nil {
			return err
		}
		if text := undeclared(all, s.Listens); text != "" {
			return fmt.Errorf("%s", text)
		}
		return nil
	})
}
