package report

import (
	"fmt"
	"html/template"
	"strings"
)

// seconds writes a time as people read it.
func seconds(s float64) string {
	switch {
	case s < 9.95:
		return fmt.Sprintf("%.1f s", s)
	case s < 119.5:
		return fmt.Sprintf("%.0f s", s)
	default:
		return fmt.Sprintf("%d min %02d s", int(s+0.5)/60, int(s+0.5)%60)
	}
}

// short is the beginning of a checksum, enough to know it again.
func short(sum string) string { return sum[:min(len(sum), 12)] }

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// percent writes a part as CSS has it.
func percent(x float64) template.CSS {
	return template.CSS(strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.3f", x+0), "0"), ".") + "%")
}
