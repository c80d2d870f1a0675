package verify

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/sandbox"
)

// kept are the variables of the caller's environment that the second build has too, because
// programs and package archives are reached by them.
var kept = []string{"PATH", "TERM", "NO_COLOR", "APT_CONFIG", "SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"}

// other are variables that have other values in the second build.
var other = map[string]string{
	"LANG": "tr_TR.UTF-8", "LC_ALL": "tr_TR.UTF-8", "LANGUAGE": "tr", "TZ": "Pacific/Kiritimati",
	"USER": "somebody", "LOGNAME": "somebody", "SUDO_USER": "somebody", "SUDO_UID": "4242", "EDITOR": "false", "COLUMNS": "31",
	"CFLAGS": "-O3", "PYTHONHASHSEED": "7", "GREP_COLOR": "1;31",
}

// environment is that of the second build.
func environment(home string) map[string]string {
	env := map[string]string{"HOME": home, "TMPDIR": home}
	maps.Copy(env, other)
	for _, kv := range os.Environ() {
		name, value, _ := strings.Cut(kv, "=")
		if slices.Contains(kept, name) || strings.HasPrefix(name, "TREEWRIGHT_VAR_") || strings.HasPrefix(name, "TREEWRIGHT_SECRET_") || name == "TREEWRIGHT_CALLED_AS" {
			env[name] = value
		}
	}
	return env
}

// changes lists what the second build finds changed, and what could not be changed.
func changes(o Options, q *request, need int64, e sandbox.Elsewhere) []Change {
	host, _ := os.Hostname()
	env := func(name string) string {
		if v := os.Getenv(name); v != "" {
			return v
		}
		return "not set"
	}
	jobs := o.Builder.Options().Jobs
	if jobs <= 0 {
		jobs = runtime.NumCPU()
	}
	list := []Change{
		{What: "cache", First: q.From, Second: "an empty one"},
		{What: "directory", First: q.Tree, Second: q.Moved},
		{What: "permissions and times of the tree's files", First: "as they are", Second: "for the owner alone, and now"},
		{What: "umask", First: "that of the caller", Second: fmt.Sprintf("%04o", e.Umask)},
		{What: "locale", First: env("LC_ALL"), Second: other["LC_ALL"]},
		{What: "time zone", First: env("TZ"), Second: other["TZ"]},
		{What: "user name", First: env("USER"), Second: other["USER"]},
		{What: "home", First: env("HOME"), Second: filepath.Join("...", filepath.Base(e.Env["HOME"]))},
		{What: "host name", First: host, Second: q.Host},
		{What: "workers", First: strconv.Itoa(jobs), Second: strconv.Itoa(q.Jobs)},
	}
	cpus := Change{What: "processors", First: strconv.Itoa(runtime.NumCPU()), Second: "1"}
	if e.CPUs == 0 {
		cpus.Second, cpus.Reason = "", "this machine has one"
	}
	disk := Change{What: "order of directory entries", First: "that of the cache's file system", Second: "that of a file system in memory"}
	if q.Memory == 0 {
		disk.Second, disk.Reason = "", fmt.Sprintf("an empty cache in memory takes %s and what steps need; %s are available", event.FormatBytes(need), event.FormatBytes(availableMemory()))
	}
	return append(list, cpus, disk,
		Change{What: "kernel, apt and mmdebstrap of the machine", First: "its own", Reason: "there is one machine; compare with another one's build by --against"},
	)
}

// availableMemory is the memory that is available, in bytes.
func availableMemory() int64 { return int64(engine.AvailableMemory()) << 20 }
