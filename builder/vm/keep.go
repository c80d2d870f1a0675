package vm

// Keep is what becomes of a machine in which a test failed.
type Keep struct {
	// Shell is for a person's terminal, nil for none.
	Shell *RootShell
	// Inbound leads to the machine where that cannot be.
	Inbound *Inbound
	// Say prints a line for the user.
	Say func(line string)
}

// Prepare has a machine be one that can be kept. A boot that succeeds is not another.
func (k *Keep) Prepare(s *Session) {
	s.Machine.Console = consoleAt()
	s.Machine.Forwards = []Forward{guestSSH}
	s.Job.Inbound = k.Inbound
	if k.Shell != nil {
		s.Credentials = k.Shell.afterFailure(s.Machine.Arch)
	}
}
