package target

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	// patience bounds a start and a stop: a loaded machine takes its time.
	patience = 30 * time.Second
	// poll is the pause between two looks at what cannot be waited for.
	poll = 10 * time.Millisecond
)

// process is a program that was started here and is stopped here.
type process struct {
	command *exec.Cmd
	log     string
	ended   chan struct{}
	err     error // how it ended; read after ended
}

// launch starts a program with a text as its standard input. What it writes
// goes to a file in dir.
func launch(dir, name, input, program string, args ...string) (*process, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		return nil, fmt.Errorf("%s is not installed: run `make bench`, which installs it, or leave this target out with --targets (%w)", program, err)
	}
	p := &process{log: filepath.Join(dir, name+".log"), ended: make(chan struct{})}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	defer func() { _ = log.Close() }()
	p.command = exec.Command(path, args...)
	p.command.Stdin = strings.NewReader(input)
	p.command.Stdout, p.command.Stderr = log, log
	// A group of its own: an interrupt at the terminal is for this program, which stops the others.
	p.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	go func() {
		p.err = p.command.Wait()
		close(p.ended)
	}()
	return p, nil
}

func (p *process) pid() int { return p.command.Process.Pid }

// stop ends the process and waits for its end.
func (p *process) stop() error {
	_ = p.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
		return nil
	case <-time.After(patience):
		_ = p.command.Process.Kill()
		<-p.ended
		return fmt.Errorf("%s did not stop within %v and was killed", p.command.Path, patience)
	}
}

// await tries until it succeeds; the end of the process ends the wait.
func (p *process) await(ctx context.Context, what string, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	again := time.NewTicker(poll)
	defer again.Stop()
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.ended:
			return fmt.Errorf("waiting for %s: %s ended (%w); its log ends with:\n%s", what, p.command.Path, p.err, p.tail())
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w; the log ends with:\n%s", what, err, p.tail())
		case <-again.C:
		}
	}
}

// tail is the end of the log.
func (p *process) tail() string {
	const most = 2000
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-most):])
}
