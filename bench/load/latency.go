package load

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

// Latency is one client that sends a GET, waits for the reply and goes on.
type Latency struct {
	Requests int
	Keys     int
}

// Run measures each request to the nanosecond. The client's socket is blocking
// and read without the Go scheduler's knowledge, so that no hand-over between
// goroutines is in the figures; what is left of the client is the same for all.
//
// A kernel may put client and server on one core or on two, and on a virtual
// machine waking the other core can take longer than everything else. So the
// mean moves by a factor between rounds when other work keeps cores awake, and
// only a calm machine gives ratios that can be compared.
func (l Latency) Run(ctx context.Context, s Server) (Result, error) {
	c, err := blocking(ctx, s)
	if err != nil {
		return Result{}, err
	}
	defer func() { _ = c.Close() }()
	if err := c.demand(command("AUTH", s.User, s.Password), "+OK\r\n"); err != nil {
		return Result{}, err
	}
	want := fmt.Sprintf("$%d\r\n", ValueSize)
	took := make([]time.Duration, l.Requests)
	request := command("GET", key(0))
	at := len(request) - len("000000000000\r\n")
	began := time.Now()
	for i := range took {
		if i%1000 == 0 && ctx.Err() != nil {
			return Result{}, ctx.Err()
		}
		digits := strconv.AppendInt(request[at:at], 1e12+rand.Int64N(int64(l.Keys)), 10)
		copy(request[at:], digits[1:]) // without the leading 1, which made it twelve digits
		request = append(request[:at+12], "\r\n"...)
		start := time.Now()
		if err := c.demand(request, want); err != nil {
			return Result{}, err
		}
		took[i] = time.Since(start)
	}
	total := time.Since(began)
	slices.Sort(took)
	var sum time.Duration
	for _, d := range took {
		sum += d
	}
	return Result{
		Requests: l.Requests, PerSecond: float64(l.Requests) / total.Seconds(),
		Mean: sum / time.Duration(l.Requests), P99: took[l.Requests*99/100],
	}, nil
}

// blockingConn reads and writes a blocking socket by system calls that the Go
// scheduler does not see. Only what tls.Client needs of net.Conn is there.
type blockingConn struct {
	net.Conn // nil
	file     *os.File
	fd       uintptr
}

// SetWriteDeadline does nothing; the socket's own time-outs are in force.
func (b *blockingConn) SetWriteDeadline(time.Time) error { return nil }

func (b *blockingConn) Read(p []byte) (int, error) {
	n, err := b.call(syscall.SYS_READ, p)
	if n == 0 && err == nil {
		return 0, io.EOF
	}
	return n, err
}

func (b *blockingConn) Write(p []byte) (int, error) {
	for sent := 0; sent < len(p); {
		n, err := b.call(syscall.SYS_WRITE, p[sent:])
		if err != nil {
			return sent, err
		}
		sent += n
	}
	return len(p), nil
}

func (b *blockingConn) call(which uintptr, p []byte) (int, error) {
	for {
		n, _, errno := syscall.RawSyscall(which, b.fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
		switch errno {
		case 0:
			return int(n), nil
		case syscall.EINTR:
		case syscall.EAGAIN:
			return 0, os.ErrDeadlineExceeded
		default:
			return 0, os.NewSyscallError("reading or writing the socket", errno)
		}
	}
}

func (b *blockingConn) Close() error { return b.file.Close() }

// exact reads replies of a known form.
type exact struct {
	io.ReadWriteCloser
	buffer [2 * ValueSize]byte
}

// blocking connects.
func blocking(ctx context.Context, s Server) (*exact, error) {
	raw, err := (&net.Dialer{Timeout: replyTimeout}).DialContext(ctx, "tcp", s.Address)
	if err != nil {
		return nil, err
	}
	file, err := raw.(*net.TCPConn).File() // a duplicate
	_ = raw.Close()
	if err != nil {
		return nil, err
	}
	b := &blockingConn{file: file, fd: file.Fd()}
	limit := syscall.NsecToTimeval(replyTimeout.Nanoseconds())
	fd := int(b.fd)
	err = errors.Join(
		syscall.SetNonblock(fd, false),
		syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &limit),
		syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_SNDTIMEO, &limit))
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("making the socket blocking: %w", err)
	}
	if s.TLS == nil {
		return &exact{ReadWriteCloser: b}, nil
	}
	return &exact{ReadWriteCloser: tls.Client(b, s.TLS)}, nil
}

// demand sends a request and reads a reply that must begin with want: that much,
// and a value with its end if want announces one.
func (e *exact) demand(request []byte, want string) error {
	if _, err := e.Write(request); err != nil {
		return err
	}
	size := len(want)
	if want[0] == '$' {
		size += ValueSize + 2
	}
	n, err := io.ReadAtLeast(e, e.buffer[:size], min(size, len("$-1\r\n")))
	for err == nil && n < size && string(e.buffer[:min(n, len(want))]) == want {
		var more int
		more, err = e.Read(e.buffer[n:size])
		n += more
	}
	if err != nil {
		return err
	}
	if n != size || string(e.buffer[:len(want)]) != want {
		return fmt.Errorf("the reply is %q, not %q", e.buffer[:n], want)
	}
	return nil
}
