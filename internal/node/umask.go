package node

import "syscall"

// umask makes the socket 0600 from its first moment; chmod afterwards would leave a gap.
func umask(mask int) int { return syscall.Umask(mask) }
