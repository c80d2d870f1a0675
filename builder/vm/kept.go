package vm

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/sandbox"
)

// kept leaves the machine as the first test that failed left it, until the person has
// enough, or it is switched off.
func (s *Scenario) kept(ctx context.Context) {
	if s.Keep == nil || s.Report.Count(Failed) == 0 || ctx.Err() != nil {
		return
	}
	if s.Session.Ended() {
		s.Keep.Say("there is no machine to keep: it has ended")
		return
	}
	answers := s.Session.Answers()
	if s.Keep.Shell != nil && s.keptHere(ctx, answers) {
		return
	}
	if answers {
		s.keptForSSH(ctx)
	} else {
		s.Keep.Say("the machine is kept, but does not answer; what it shows is in " + s.serialLog())
	}
	s.Keep.Say(fmt.Sprintf("it ends with `systemctl poweroff` in it, or with `kill %d` (Ctrl-C here)", os.Getpid()))
	select {
	case <-ctx.Done():
	case <-s.Session.ended:
	}
}

// keptHere gives the person's terminal a shell in the machine, until one of them has
// enough; false if that cannot be.
func (s *Scenario) keptHere(ctx context.Context, answers bool) bool {
	what := "the console of the machine, which does not answer, is here"
	if answers {
		what = "root's shell in the machine is here, and `exit` switches it off"
		if err := s.script(ctx, "root's shell", s.Keep.Shell.start(s.Session.Machine.Arch)); err != nil {
			s.Keep.Say(fmt.Sprintf("root's shell cannot be on the machine's console: %v", err))
			return false
		}
	}
	s.Keep.Say(what + "; Ctrl-A X ends the machine at once")
	if err := s.Session.attach(ctx, os.Stdin, os.Stdout); err != nil {
		s.Keep.Say(err.Error())
		return false
	}
	return true
}

// keptForSSH opens the machine for ssh and prints the command.
func (s *Scenario) keptForSSH(ctx context.Context) {
	key := filepath.Join(s.Session.Job.Shared(), keyFile)
	private, authorized, err := newOpenSSHKey()
	if err == nil {
		err = os.WriteFile(key, private, 0o600)
	}
	if err == nil {
		err = s.script(ctx, "the key", fmt.Sprintf(`
umask 077
mkdir -p /root/.ssh
echo %s >> /root/.ssh/authorized_keys
`, sandbox.Quote(strings.TrimSpace(authorized))))
	}
	if err == nil {
		waiting, stop := context.WithTimeout(ctx, s.limit(10*time.Second))
		defer stop()
		err = waitSSH(waiting, s.Keep.Inbound.Addr.String())
	}
	if err != nil {
		s.Keep.Say(fmt.Sprintf("the machine is kept, but can only be reached by ssh, and no ssh server answers in it (%v)", err))
		return
	}
	s.Keep.Say("the machine is kept; a shell in it, from another terminal:\n\n    " + s.sshCommand(key) + "\n")
}

func (s *Scenario) sshCommand(key string) string {
	host, port, _ := net.SplitHostPort(s.Keep.Inbound.Addr.String())
	return fmt.Sprintf("ssh -i %s -p %s -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null root@%s", sandbox.Quote(key), port, host)
}
