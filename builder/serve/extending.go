package serve

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/extend"
)

const (
	// repeat is the interval of messages to a client while its job does not change. Web servers in front wait for a minute.
	repeat = 5 * time.Second
	// alone is the time for which a job goes on after its last client has left: long enough for a machine to come
	// back after its line was cut, short enough that others do not wait long for an image that is not wanted any more.
	alone = time.Minute
	// fresh is the time for which a published image is not made again: machines that look for newer versions share it.
	fresh = time.Hour
	// mostClients is the maximum number of clients that wait at the same time: each has a connection.
	mostClients = 1000
	// onlyFiles are the methods for files, which clients do not request by POST.
	onlyFiles = "GET, HEAD"
)

// extending answers requests for images of packages.
type extending struct {
	rules         *config.Extend
	queue         *queue
	repeat, fresh time.Duration

	mu       sync.Mutex
	outcomes map[string]int64 // of requests
	clients  int
}

// newExtending returns an extending that answers until ctx ends. there reports whether an image is published.
func newExtending(ctx context.Context, e Extender, rules *config.Extend, there func(flavour string, r extend.Request) bool, log func(string)) *extending {
	return &extending{
		rules: rules, repeat: repeat, fresh: fresh, outcomes: map[string]int64{},
		queue: &queue{
			extender: e, jobs: rules.Jobs, most: rules.Queue, timeout: rules.Timeout, alone: alone, there: there, log: log, ctx: ctx,
			running: map[string]*job{}, known: map[string]*job{}, count: jobCount{outcomes: map[string]int64{}},
		},
	}
}

// asks returns the flavour of the path /FLAVOUR/extend, "" for /extend. It refuses all other paths.
func asks(names []string) (flavour string, ok bool) {
	switch {
	case len(names) == 1 && names[0] == extend.Dir:
		return "", true
	case len(names) == 2 && names[1] == extend.Dir:
		return names[0], true
	}
	return "", false
}

// answer answers a request for an image of packages for a commit of the flavour, or of any if it is "".
func (e *extending) answer(w http.ResponseWriter, r *http.Request, root *os.Root, list *listing, flavour string) {
	outcome := e.serve(w, r, root, list, flavour)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.outcomes[outcome]++
}

// serve is answer, and returns the outcome.
func (e *extending) serve(w http.ResponseWriter, r *http.Request, root *os.Root, list *listing, name string) string {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		no := refuse(http.StatusMethodNotAllowed, extend.BadRequest, "images are asked for by POST")
		no.write(w)
		return string(no.Reason)
	}
	asked, no := readAsked(w, r, e.rules.MostPackages)
	var f *flavour
	if no == nil {
		f, no = find(root, list, name, asked)
	}
	if no == nil {
		made, present := hasImage(root, f, asked)
		// Only machines that look for newer versions ask for an image that is published. The clock can have been set back.
		if age := time.Since(made); present && age >= 0 && age < e.fresh {
			e.follow(w, r, func() (extend.Message, <-chan struct{}) {
				return extend.Message{State: extend.Done, Document: asked.DocumentFile()}, nil
			})
			return "present"
		}
		no = e.allowed(asked)
	}
	if no == nil {
		no = e.enter()
	}
	if no != nil {
		no.write(w)
		return string(no.Reason)
	}
	defer e.exit()
	j, failure := e.queue.join(f.name, asked, addressOf(r))
	if failure != nil {
		refuse(http.StatusTooManyRequests, failure.Reason, "%s", failure.Text).write(w)
		return string(failure.Reason)
	}
	defer e.queue.leave(j)
	return e.follow(w, r, func() (extend.Message, <-chan struct{}) { return e.queue.look(j) })
}

// find returns the flavour that has the commit.
func find(root *os.Root, list *listing, name string, asked extend.Request) (*flavour, *refusal) {
	for _, f := range list.flavours {
		if (name == "" || f.name == name) && hasCommit(root, f, asked.Commit) {
			return f, nil
		}
	}
	return nil, refuse(http.StatusNotFound, extend.UnknownCommit, "commit %.12s is not in a repository that is served here; the machine has to upgrade first", asked.Commit)
}

// allowed refuses packages that the configuration does not allow.
func (e *extending) allowed(asked extend.Request) *refusal {
	var others []string
	for _, name := range asked.Packages {
		if !e.rules.Allows(name) {
			others = append(others, name)
		}
	}
	if len(others) == 0 {
		return nil
	}
	return refuse(http.StatusForbidden, extend.NotAllowed, "this server does not make images with %s: the configuration of the server (packages in the block extend) does not allow it", shortened(others))
}

// enter and exit count the clients that wait.
func (e *extending) enter() *refusal {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.clients >= mostClients {
		return refuse(http.StatusTooManyRequests, extend.Busy, "%d clients wait already; ask again later", mostClients)
	}
	e.clients++
	return nil
}

func (e *extending) exit() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.clients--
}

// follow sends a client all messages that look returns, until the end or until the client has left. It returns the outcome.
func (e *extending) follow(w http.ResponseWriter, r *http.Request, look func() (extend.Message, <-chan struct{})) string {
	header := w.Header()
	header.Set("Content-Type", extend.ContentType)
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no") // nginx passes each line on at once
	tick := time.NewTicker(e.repeat)
	defer tick.Stop()
	lines, out := json.NewEncoder(w), http.NewResponseController(w)
	for {
		m, changed := look()
		if err := lines.Encode(m); err != nil {
			return "left"
		}
		if over(m) {
			if m.Failure != nil {
				return string(m.Failure.Reason)
			}
			return string(m.State)
		}
		_ = out.Flush() // the next write has the error
		select {
		case <-changed:
		case <-tick.C:
		case <-r.Context().Done():
			return "left"
		}
	}
}

// off answers a request for an image if the server does not make images. It answers like a web server for files: machines look elsewhere.
func off(w http.ResponseWriter) {
	w.Header().Set("Allow", onlyFiles)
	http.Error(w, "this server does not make images of packages: its treewright.hcl has no block extend", http.StatusMethodNotAllowed)
}
