package node

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"parley.link/parley/internal/config"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/store"
)

// Exit codes of the parley command.
const (
	ExitOther        = 1
	ExitUsage        = 2
	ExitConfig       = 3
	ExitIdentity     = 4 // no key, no certificate, or a delegation key where none may be
	ExitPortBusy     = 5
	ExitStoreDamaged = 6
	ExitDiskFull     = 7
	ExitClock        = 8
	ExitInUse        = 9 // another node serves from the data directory
	ExitRefused      = 10
)

// Fault is an error for whoever runs a command: what failed, what that means, what to do.
type Fault struct {
	What    string
	Means   string
	Do      string
	Example string // a command or a line that works
	Exit    int
	Err     error
}

func (f *Fault) Error() string {
	var b strings.Builder
	b.WriteString(f.What)
	if f.Err != nil {
		fmt.Fprintf(&b, ": %v", f.Err)
	}
	if f.Means != "" {
		b.WriteString("\n  what it means: " + f.Means)
	}
	if f.Do != "" {
		b.WriteString("\n  what to do:    " + f.Do)
	}
	if f.Example != "" {
		b.WriteString("\n  for example:   " + f.Example)
	}
	return b.String()
}

func (f *Fault) Unwrap() error { return f.Err }

// ExitCode is what the command ends with for an error.
func ExitCode(err error) int {
	var f *Fault
	var c *config.Error
	var p *problem.Error
	switch {
	case err == nil:
		return 0
	case errors.As(err, &f) && f.Exit != 0:
		return f.Exit
	case errors.As(err, &c):
		return ExitConfig
	case errors.As(err, &p):
		return ExitRefused
	}
	return ExitOther
}

// listening explains a port that could not be taken.
func listening(setting, address string, err error) error {
	f := &Fault{What: fmt.Sprintf("The node cannot listen on %s (setting %s)", address, setting), Exit: ExitConfig, Err: err}
	switch {
	case errors.Is(err, syscall.EADDRINUSE), problem.CodeOf(err) == problem.PortBusy:
		f.Exit = ExitPortBusy
		f.Means = "Another program has this port, perhaps a node that still runs. Nothing was started."
		f.Do = "Stop the other program (ss -lntup shows it) or choose another port."
	case errors.Is(err, syscall.EACCES):
		f.Means = "Ports below 1024 need a right that this user does not have."
		f.Do = "Choose a port above 1023, or give the right: setcap cap_net_bind_service=+ep on the binary."
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		f.Means = "This machine has no such address."
		f.Do = "Use an address of this machine (ip address shows them), or leave the host out to use all."
	default:
		f.Do = "Correct the setting."
	}
	f.Example = fmt.Sprintf("PARLEY_%s=0.0.0.0:9443 parley serve", strings.ToUpper(strings.ReplaceAll(setting, ".", "_")))
	return f
}

// opening explains a store that could not be opened or replayed.
func opening(path string, err error) error {
	f := &Fault{What: "The node's store cannot be used (" + path + ")", Exit: ExitOther, Err: err}
	switch code := problem.CodeOf(err); {
	case errors.Is(err, store.ErrInUse):
		f.Exit = ExitInUse
		f.Means = "Another node serves from this data directory. Two would sign two histories of one session."
		f.Do = "Stop the other node first, or give this one its own directory."
		f.Example = "parley serve --data /var/lib/parley-two"
	case code == problem.StoreDamaged:
		f.Exit = ExitStoreDamaged
		f.Means = "The file was changed or damaged since this node wrote it. It was left as it is; nothing was repaired, because it may be evidence."
		f.Do = "Keep a copy of the file. Restore the last backup; the other side's node will hand back what it signed since."
	case code == problem.DiskFull:
		f.Exit = ExitDiskFull
		f.Means = "There is no room to keep acts, and the node says nothing that it cannot keep."
		f.Do = "Make room on the disk of the data directory (df -h shows it), then start again. Nothing was lost."
	case errors.Is(err, store.ErrReadOnly), errors.Is(err, store.ErrUnreadable):
		f.Exit = ExitConfig
		f.Means = "This user may not read or write the file, or its file system is read-only."
		f.Do = "Give the data directory to the user that runs the node."
		f.Example = "chown -R parley /var/lib/parley"
	default:
		f.Do = "See the error above."
	}
	return f
}
