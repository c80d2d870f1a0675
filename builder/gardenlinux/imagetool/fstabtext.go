package imagetool

import (
	"strings"
	"unicode/utf8"
)

// growOption makes systemd grow a file system to its partition at boot.
const growOption = "x-systemd.growfs"

// fstabText is the /etc/fstab for the entries, in the order of [ParseFstab]:
// columns with two blanks between, the root first.
//
// The root's last field, the order of checks at boot, is that of the entry
// before it, as in the Garden Linux builder; the root on its own gets 1 there.
func fstabText(entries []Entry) string {
	var rows [][]string
	pass := "1"
	for _, e := range entries {
		if !e.Root() {
			pass = "2"
			if !e.mounted() {
				pass = "0"
			}
		}
		rows = append(rows, []string{e.Source, e.Target, e.FS, e.Options, "0", pass})
	}
	var width [6]int
	for _, row := range rows {
		for i, field := range row {
			width[i] = max(width[i], utf8.RuneCountInString(field))
		}
	}
	var b strings.Builder
	for i := len(rows) - 1; i >= 0; i-- {
		for j, field := range rows[i] {
			b.WriteString(field)
			if j < len(width)-1 {
				b.WriteString(strings.Repeat(" ", width[j]-utf8.RuneCountInString(field)+2))
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}
