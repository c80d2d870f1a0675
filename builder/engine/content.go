package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"github.com/treewright/treewright/builder/plan"
)

// packs reports whether a step makes something of other steps' directories alone. Its result
// serves again if these have the same content, made by whatever steps.
func (e *Engine) packs(g *plan.Graph, s *plan.Step) bool {
	if !s.Recorded || e.NoShortcuts || s.Base != "" || s.Output != plan.Dir || len(s.Inputs) == 0 || len(s.Secrets) > 0 || s.Network {
		return false
	}
	for _, in := range s.Inputs {
		if g.Step(in).Output != plan.Dir {
			return false
		}
	}
	return true
}

// contentKind returns the key that a step would have if its inputs were named by their content.
func (e *Engine) contentKind(g *plan.Graph, s *plan.Step) (string, error) {
	bare := *s
	bare.Inputs = nil
	text, err := g.KeyOf(bare)
	if err != nil {
		return "", err
	}
	for _, name := range slices.Sorted(maps.Keys(s.Inputs)) {
		content, err := e.Store.Content(g.Key(s.Inputs[name]))
		if err != nil {
			return "", err
		}
		text += fmt.Sprintf("\n%q %s", name, content)
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:]), nil
}
