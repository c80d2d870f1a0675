package event

import "time"

// Usage is what processes used: one process, or a program with all that it started and
// that has ended. What the machine does not count is 0.
type Usage struct {
	// User and System are time of processors.
	User   time.Duration `json:"user_ns,omitempty"`
	System time.Duration `json:"system_ns,omitempty"`
	// Read and Written are bytes of system calls, also of pipes and of files in memory
	// too; see proc_pid_io(5).
	Read    int64 `json:"read,omitempty"`
	Written int64 `json:"written,omitempty"`
	// DiskRead and DiskWritten are bytes of block devices. Writes count when the
	// page cache takes it, for the process that wrote it.
	DiskRead    int64 `json:"disk_read,omitempty"`
	DiskWritten int64 `json:"disk_written,omitempty"`
	// Peak is the most memory that the largest of the processes had, in bytes.
	Peak int64 `json:"peak,omitempty"`
}
