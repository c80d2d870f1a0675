package cves

// State is what is known of a fault in a system.
type State string

// The states, in the order in which findings are listed.
const (
	// Fixed faults are gone with an update that is there.
	Fixed State = "fixed"
	// Open faults have no update.
	Open State = "open"
	// Undetermined faults are ones that the tracker has not decided on.
	Undetermined State = "undetermined"
	// Ignored faults have a rule.
	Ignored State = "ignored"
)

var states = []State{Fixed, Open, Undetermined, Ignored}

// Finding is a fault in a part.
type Finding struct {
	State  State  `json:"state"`
	ID     string `json:"id"`
	Part   string `json:"part"`
	Source string `json:"source"`
	// Version is that of the source package that the part has, and FixedIn the one to
	// upgrade to.
	Version string `json:"version"`
	FixedIn string `json:"fixed_in,omitempty"`
	// Packages are those of the part that were built from the source package.
	Packages []string `json:"packages"`
	Urgency  string   `json:"urgency"`
	// Remark is why the distribution plans no update, Reason why the owner ignores it.
	Remark      string `json:"remark,omitempty"`
	Reason      string `json:"reason,omitempty"`
	Until       string `json:"until,omitempty"`
	Description string `json:"description,omitempty"`
}
