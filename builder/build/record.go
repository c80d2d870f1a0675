package build

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/treewright/treewright/builder/plan"
)

// recordPath is where the plan of a flavour's last finished build is kept. Trees that share a
// cache may have flavours of the same name.
func (b *Builder) recordPath(flavour string) string {
	tree := sha256.Sum256([]byte(b.options.Tree))
	return filepath.Join(b.options.Cache, "plans", fmt.Sprintf("%s-%x.json", flavour, tree[:4]))
}

// remember records a plan, so that it can be shown later what has changed since.
func (b *Builder) remember(ctx context.Context, p *Prepared) error {
	record, err := p.Graph.Record()
	if err != nil {
		return err
	}
	raw, err := json.Marshal(record)
	if err != nil {
		return err
	}
	return p.Cache.WriteFile(ctx, b.recordPath(p.Subject.Flavour()), raw)
}

// recall returns the plan of the last finished build, nil if there was none, or
// none that can be read: it only gives reasons.
func (b *Builder) recall(flavour string) (plan.Record, error) {
	raw, err := os.ReadFile(b.recordPath(flavour))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var record plan.Record
	if json.Unmarshal(raw, &record) != nil {
		return nil, nil
	}
	return record, nil
}
