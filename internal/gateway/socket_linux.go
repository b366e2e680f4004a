package gateway

import (
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// toLoop turns the connection into a file descriptor of its own. The runtime's
// poller watches every descriptor of package net, so the loop takes a duplicate
// and closes the original: otherwise each packet would wake both.
func (k *socket) toLoop() error {
	holder, ok := k.Conn.(syscall.Conn)
	if !ok {
		return fmt.Errorf("a %T has no file descriptor", k.Conn)
	}
	raw, err := holder.SyscallConn()
	if err != nil {
		return err
	}
	fd, dupErr := -1, error(nil)
	if err := raw.Control(func(original uintptr) {
		fd, dupErr = unix.FcntlInt(original, unix.F_DUPFD_CLOEXEC, 0)
	}); err != nil {
		return err
	}
	if dupErr != nil {
		return os.NewSyscallError("fcntl", dupErr)
	}
	_ = k.Conn.Close()
	k.Conn, k.fd, k.ready = nil, fd, false
	return nil
}

// fromLoop makes the file descriptor a connection again.
func (k *socket) fromLoop() {
	file := os.NewFile(uintptr(k.fd), "")
	conn, err := net.FileConn(file)
	_ = file.Close()
	if err != nil { // file descriptors are short: the session ends
		conn = closed
	}
	k.Conn, k.fd = conn, -1
}

// close closes the file descriptor.
func (k *socket) close() {
	_ = unix.Close(k.fd)
	k.Conn, k.fd = closed, -1
}

// closed is a connection that fails whatever it is asked to do.
var closed = func() net.Conn {
	conn, _ := net.Pipe()
	_ = conn.Close()
	return conn
}()

// readNow reads what is there. A short read has emptied the socket, which saves
// asking again: the loop is told when there is more.
func (k *socket) readNow(p []byte) (int, error) {
	if !k.ready {
		return 0, errNothing
	}
	for {
		n, errno := sysRead(k.fd, p)
		switch {
		case errno == unix.EINTR:
			continue
		case errno == unix.EAGAIN:
			k.ready = false
			return 0, errNothing
		case errno != 0:
			return 0, os.NewSyscallError("read", errno)
		case n == 0:
			return 0, io.EOF
		}
		k.budget -= n
		k.ready = n == len(p) && k.budget > 0
		return n, nil
	}
}

// writeNow sends what it can and keeps the rest.
func (k *socket) writeNow(p []byte) (int, error) {
	sent := 0
	if len(k.pending) == 0 {
		var err error
		if sent, err = sendNow(k.fd, p); err != nil {
			return 0, err
		}
	}
	if sent < len(p) {
		k.pending = append(k.pending, p[sent:]...)
	}
	return len(p), nil
}

// flushNow sends what it can of what was kept.
func (k *socket) flushNow() error {
	sent, err := sendNow(k.fd, k.pending)
	if err != nil {
		return err
	}
	if k.pending = k.pending[sent:]; len(k.pending) == 0 {
		k.pending = nil
	}
	return nil
}

func sendNow(fd int, p []byte) (int, error) {
	for {
		n, errno := sysWrite(fd, p)
		switch errno {
		case 0:
			return n, nil
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			return 0, nil
		}
		return 0, os.NewSyscallError("write", errno)
	}
}

// The calls never wait, so the scheduler need not know of them.

func sysRead(fd int, p []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	return int(n), errno
}

func sysWrite(fd int, p []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), unix.MSG_NOSIGNAL, 0, 0)
	return int(n), errno
}
