package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// end is one end of the path: a TUN device in a network namespace, with an address and the other end's.
type end struct {
	namespace, device, address, peer string
}

// open makes the device. It goes when its file is closed, so also when the program is killed.
func (e end) open() (*os.File, error) {
	type result struct {
		file *os.File
		err  error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine, and its namespace with it
		f, err := openTun(e.namespace, e.device)
		done <- result{f, err}
	}()
	r := <-done
	if r.err != nil {
		return nil, fmt.Errorf("make %s in %s: %w", e.device, e.namespace, r.err)
	}
	for _, args := range [][]string{
		{"addr", "add", e.address, "peer", e.peer, "dev", e.device},
		{"link", "set", e.device, "mtu", "1500", "up"},
	} {
		if out, err := exec.Command("ip", append([]string{"-n", e.namespace}, args...)...).CombinedOutput(); err != nil {
			_ = r.file.Close()
			return nil, fmt.Errorf("ip %v in %s: %w: %s", args, e.namespace, err, out)
		}
	}
	return r.file, nil
}

// openTun enters a namespace (ip-netns(8)) and makes a device there (Documentation/networking/tuntap.rst). Called on a thread of its own.
func openTun(namespace, device string) (*os.File, error) {
	ns, err := os.Open("/var/run/netns/" + namespace)
	if err != nil {
		return nil, err
	}
	defer ns.Close()
	if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
		return nil, fmt.Errorf("enter the namespace (as root only): %w", err)
	}
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	var request [40]byte // struct ifreq
	copy(request[:unix.IFNAMSIZ-1], device)
	*(*uint16)(unsafe.Pointer(&request[unix.IFNAMSIZ])) = unix.IFF_TUN | unix.IFF_NO_PI
	if _, _, no := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TUNSETIFF, uintptr(unsafe.Pointer(&request[0]))); no != 0 {
		_ = unix.Close(fd)
		return nil, no
	}
	return os.NewFile(uintptr(fd), device), nil
}
