package engine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// process is one run of an engine's program.
type process struct {
	command *exec.Cmd
	log     *logFile
	ready   chan struct{} // closed when the engine has loaded its data and listens
	exited  chan struct{} // closed when it has ended and been waited for
	logged  chan struct{} // closed when its log has been read to the end
	err     error         // how it ended; read after exited
}

// launch starts the program. The engine's lock passes to it: the lock is free
// when the engine and all its children have ended. record is called with the
// number of the process before it does anything.
func launch(program, dir, config string, lock *os.File, record func(pid int) error) (*process, error) {
	defer func() { _ = lock.Close() }()
	log, err := openLog(filepath.Join(dir, logName))
	if err != nil {
		return nil, err
	}
	output, child, err := os.Pipe()
	if err != nil {
		_ = log.close()
		return nil, fmt.Errorf("making the pipe of the engine's log: %w", err)
	}
	defer func() { _ = child.Close() }()
	p := &process{log: log, ready: make(chan struct{}), exited: make(chan struct{}), logged: make(chan struct{})}
	// Without the configuration the program has no socket either, and ends.
	p.command = exec.Command(program, "-", "--port", "0")
	p.command.Dir = dir
	p.command.Env = []string{"LC_ALL=C", "TZ=UTC"}
	p.command.Stdout, p.command.Stderr = child, child
	p.command.ExtraFiles = []*os.File{lock}
	// A group of its own: what is typed at the terminal is not for engines.
	p.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.begin(config, record); err != nil {
		_ = output.Close()
		_ = log.close()
		return nil, err
	}
	go p.wait(output)
	go p.follow(output)
	return p, nil
}

// begin starts the program and hands the configuration over once the process
// has been recorded, so that no engine runs that a later supervisor would not find.
func (p *process) begin(config string, record func(pid int) error) error {
	input, err := p.command.StdinPipe()
	if err != nil {
		return fmt.Errorf("making the pipe of the engine's configuration: %w", err)
	}
	if err := p.command.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", p.command.Path, err)
	}
	err = record(p.command.Process.Pid)
	if err == nil {
		_, err = io.WriteString(input, config)
	}
	_ = input.Close()
	if err != nil {
		_ = p.command.Process.Kill()
		_ = p.command.Wait()
		return fmt.Errorf("handing the configuration to %s: %w", p.command.Path, err)
	}
	return nil
}

// wait waits for the end of the program.
func (p *process) wait(output *os.File) {
	p.err = p.command.Wait()
	if p.err == nil {
		p.err = errors.New("it ended by itself")
	}
	// A child that was rewriting the AOF works for nobody now, and holds the
	// lock. As long as it lives, nobody else can have this group's number.
	_ = syscall.Kill(-p.command.Process.Pid, syscall.SIGKILL)
	_ = output.SetReadDeadline(time.Now().Add(time.Second))
	<-p.logged
	_ = output.Close()
	close(p.exited)
}

// follow copies the engine's log until its end.
func (p *process) follow(output io.Reader) {
	defer close(p.logged)
	defer func() { _ = p.log.close() }()
	ready := p.ready
	reader := bufio.NewReader(output)
	for {
		line, err := reader.ReadSlice('\n')
		p.log.write(line)
		// "Ready to accept connections unix" or "The server is now ready to
		// accept connections at …", once all data is loaded.
		if ready != nil && strings.Contains(string(line), "eady to accept connections") {
			close(ready)
			ready = nil
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}

// awaitReady waits until the engine has loaded its data.
func (p *process) awaitReady(ctx context.Context) error {
	select {
	case <-p.ready:
		return nil
	case <-p.exited:
		return p.failure()
	case <-ctx.Done():
		return fmt.Errorf("waiting for the engine to load its data: %w", ctx.Err())
	}
}

// failure explains an end that nobody asked for. Call it after exited.
func (p *process) failure() error {
	return fmt.Errorf("%s ended (%w); its last lines were:\n%s", filepath.Base(p.command.Path), p.err, p.log.tail())
}

// stop ends the engine: politely, so that its data is on disk; by force when
// that takes too long or force is closed.
func (p *process) stop(force <-chan struct{}, patience time.Duration) {
	_ = p.command.Process.Signal(syscall.SIGTERM)
	over := time.NewTimer(patience)
	defer over.Stop()
	select {
	case <-p.exited:
		return
	case <-over.C:
	case <-force:
	}
	p.kill()
}

// kill ends the engine at once.
func (p *process) kill() {
	_ = p.command.Process.Kill()
	<-p.exited
}
