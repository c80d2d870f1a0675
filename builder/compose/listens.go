package compose

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
)

// socketName is a socket that other machines can reach: that of a port, or a
// raw one of a protocol of IP by its number.
var socketName = regexp.MustCompile(`^(tcp|udp|raw)/([1-9][0-9]{0,4})$`)

// sockets expands what a feature's info.yaml says that it listens on.
func sockets(f *config.Feature, sc scope) ([]string, hcl.Diagnostics) {
	var out []string
	var diags hcl.Diagnostics
	for _, line := range f.Listens {
		parsed, err := parseLine(line.Text, "socket")
		if err != nil {
			diags = append(diags, fault(err.summary, err.detail, line.Range))
			continue
		}
		names, errs := parsed.expand(sc)
		for _, err := range errs {
			diags = append(diags, fault(err.summary, err.detail, line.Range))
		}
		for _, name := range names {
			if !isSocket(name) {
				diags = append(diags, fault("Invalid socket",
					fmt.Sprintf("%q is not a socket that a feature can listen on. Write tcp/PORT, udp/PORT (from 1 to 65535) or raw/PROTOCOL (from 1 to 255); conditions in brackets may follow.", name), line.Range))
				continue
			}
			out = append(out, name)
		}
	}
	return out, diags
}

func isSocket(name string) bool {
	m := socketName.FindStringSubmatch(name)
	if m == nil {
		return false
	}
	number, err := strconv.Atoi(m[2])
	most := 65535
	if m[1] == "raw" {
		most = 255
	}
	return err == nil && number <= most
}

// listens are the sockets that some features name, sorted, each once.
func (s *Spec) listens(features []*config.Feature) ([]string, hcl.Diagnostics) {
	var all []string
	var diags hcl.Diagnostics
	for _, f := range features {
		if len(f.Listens) == 0 {
			continue
		}
		names, ds := sockets(f, newScope(f, s.Parameters[f.Name], flavourVariables(s.Flavour)))
		all, diags = append(all, names...), append(diags, ds...)
	}
	slices.Sort(all)
	return slices.Compact(all), diags
}
