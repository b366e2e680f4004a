package engine

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/identity"
)

const (
	// firstBackoff to lastBackoff is the wait before an engine that crashed is
	// started again; it doubles each time, and begins anew after steadyAfter.
	firstBackoff = 100 * time.Millisecond
	lastBackoff  = 10 * time.Second
	steadyAfter  = time.Minute
)

// ErrDown says that the engine is not running just now: it crashed and will be
// started again, or it was stopped.
var ErrDown = errors.New("the engine is not running")

// Engine is one supervised engine.
type Engine struct {
	spec    Spec
	program string
	options Options
	home    *home

	mu      sync.Mutex
	current *run // nil while no process is up

	stopping context.Context // ends when the engine shall stop
	stopNow  context.CancelFunc
	force    chan struct{} // closed when it shall be killed
	done     chan struct{} // closed when it has stopped for good
}

// newEngine starts an engine for the first time.
func newEngine(ctx context.Context, spec Spec, program string, options Options) (*Engine, error) {
	home, err := openHome(spec.Dir, options)
	if err != nil {
		return nil, err
	}
	e := &Engine{spec: spec, program: program, options: options, home: home, force: make(chan struct{}), done: make(chan struct{})}
	e.stopping, e.stopNow = context.WithCancel(context.Background())
	first, err := e.startRun(ctx)
	if err != nil {
		e.stopNow()
		home.close()
		return nil, err
	}
	e.begin(first)
	go e.supervise(first)
	return e, nil
}

// supervise keeps the engine running until it shall stop.
func (e *Engine) supervise(r *run) {
	defer close(e.done)
	defer e.home.close()
	for r != nil {
		began := e.options.Clock.Now()
		select {
		case <-r.process.exited:
			e.end(r)
			e.observe(Crashed, r.start, r.process.failure())
			r = e.restart(began)
		case <-e.stopping.Done():
			r.process.stop(e.force, e.options.patience.stop)
			e.end(r)
			r = nil
		}
	}
	e.observe(Stopped, "", nil)
}

// restart starts the engine again, as often as it takes. It returns nil when
// the engine shall stop.
func (e *Engine) restart(began time.Time) *run {
	backoff := firstBackoff
	for {
		select {
		case <-e.stopping.Done():
			return nil
		case <-e.options.Clock.After(backoff):
		}
		r, err := e.startRun(e.stopping)
		if err == nil {
			e.begin(r)
			return r
		}
		if e.stopping.Err() != nil {
			return nil
		}
		e.observe(Crashed, "", fmt.Errorf("starting it again: %w", err))
		backoff = min(2*backoff, lastBackoff)
	}
}

// startRun starts the program and waits until it answers.
func (e *Engine) startRun(ctx context.Context) (*run, error) {
	lock, err := e.home.claim(ctx)
	if err != nil {
		return nil, err
	}
	r := newRun(e.home)
	replication, err := e.prepareReplication(r)
	if err != nil {
		_ = lock.Close()
		return nil, err
	}
	r.process, err = launch(e.program, e.home.dir, configuration(e.spec, digest(r.admin), replication), lock, e.home.record)
	if err != nil {
		return nil, err
	}
	err = r.process.awaitReady(ctx)
	if err == nil {
		err = r.greet(ctx)
	}
	if err != nil {
		r.process.kill()
		r.close()
		return nil, err
	}
	return r, nil
}

func (e *Engine) begin(r *run) {
	e.mu.Lock()
	e.current = r
	e.mu.Unlock()
	e.observe(Started, r.start, nil)
	r.watch(e.options.patience, func(h Happening) { e.observe(h, r.start, nil) })
}

func (e *Engine) end(r *run) {
	e.mu.Lock()
	e.current = nil
	e.mu.Unlock()
	r.close()
}

// stop stops the engine for good; when ctx ends first, by force.
func (e *Engine) stop(ctx context.Context) {
	e.stopNow()
	select {
	case <-e.done:
		return
	case <-ctx.Done():
	}
	e.mu.Lock()
	select {
	case <-e.force:
	default:
		close(e.force)
	}
	e.mu.Unlock()
	<-e.done
}

func (e *Engine) observe(happening Happening, start string, err error) {
	log := e.options.Log.Info
	if happening == Crashed || happening == Unresponsive {
		log = e.options.Log.Error
	}
	attributes := []any{"engine", e.spec.Name, "directory", filepath.Clean(e.home.dir)}
	if err != nil {
		attributes = append(attributes, "cause", err)
	}
	log("engine "+string(happening), attributes...)
	e.options.Observe(Event{Name: e.spec.Name, Happening: happening, Start: start, Err: err})
}

func (e *Engine) running() (*run, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current == nil {
		return nil, ErrDown
	}
	return e.current, nil
}

// Kind is the program that runs.
func (e *Engine) Kind() identity.Engine { return e.spec.Kind }

// Node says how a gateway that listens at listen reaches this start of the
// engine, and as which users. It is ErrDown while the engine is not running.
func (e *Engine) Node(listen string) (directory.Node, error) {
	r, err := e.running()
	if err != nil {
		return directory.Node{}, err
	}
	return directory.Node{
		ClusterID: e.spec.Name,
		Listen:    listen,
		Kind:      e.spec.Kind,
		Network:   "unix",
		Address:   e.home.socket,
		Start:     r.start,
		Admin:     r.admin,
		Secrets:   r.published(),
	}, nil
}
