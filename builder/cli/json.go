package cli

import (
	"encoding/json"
	"io"
)

// writeJSON writes a value for programs, and for people who read it in a terminal.
func writeJSON(w io.Writer, value any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(value)
}
