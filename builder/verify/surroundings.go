package verify

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/sandbox"
)

// kept are the variables of the caller's environment that the second build has too: by
// which programs and package archives are reached.
var kept = []string{"PATH", "TERM", "NO_COLOR", "APT_CONFIG", "SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"}

// other are variables that the second build has otherwise.
var other = map[string]string{
	"LANG": "tr_TR.UTF-8", "LC_ALL": "tr_TR.UTF-8", "LANGUAGE": "tr", "TZ": "Pacific/Kiritimati",
	"USER": "somebody", "LOGNAME": "somebody", "SUDO_USER": "somebody", "SUDO_UID": "4242", "EDITOR": "false", "COLUMNS": "31",
	"CFLAGS": "-O3", "PYTHONHASHSEED": "7", "GREP_COLOR": "1;31",
}

// environment is that of the second build.
func environment(home string) map[string]string {
	env := map[string]string{"HOME": home, "TMPDIR": home}
	for name, value := range other {
		env[name] = value
	}
	for _, kv := range os.Environ() {
		name, value, _ := strings.Cut(kv, "=")
		for _, k := range kept {
			if name == k {
				env[name] = value
			}
		}
		if strings.HasPrefix(name, "TREEWRIGHT_VAR_") || strings.HasPrefix(name, "TREEWRIGHT_SECRET_") || name == "TREEWRIGHT_CALLED_AS" {
			env[name] = value
		}
	}
	return env
}

// changes lists what the second build finds otherwise, and what it does not.
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
		disk.Second, disk.Reason = "", fmt.Sprintf("an empty cache in memory takes %s and what steps need; %s are available", event.FormatBytes(need), event.FormatBytes(freeMemory()))
	}
	return append(list, cpus, disk,
		Change{What: "clock", First: "the time of each step's first run", Second: "some time later"},
		Change{What: "kernel, apt and mmdebstrap of the machine", First: "its own", Reason: "there is one machine; compare with another one's build by --against"},
	)
}

// freeMemory is the memory that is available, in bytes; 0 if that is not known.
func freeMemory() int64 {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "MemAvailable:" {
			n, _ := strconv.ParseInt(f[1], 10, 64)
			return n << 10
		}
	}
	return 0
}
