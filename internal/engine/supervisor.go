package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"sync"

	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// Spec says which engine to run.
type Spec struct {
	// Name is the node's CacheClusterId, for instance "orders-001". It is shown
	// in process lists and in events.
	Name string
	Kind identity.Engine
	// Dir is the node's own directory, made if it is not there. The data in it
	// is found again at the next start.
	Dir string
	// Settings are engine parameters; see settingNames for those allowed.
	Settings map[string]string
}

// Options of a Supervisor. The zero value works.
type Options struct {
	// Programs names the program of an engine, if not the one on PATH.
	Programs map[identity.Engine]string
	// Runtime is the directory for short paths to sockets, used when a node's
	// own directory has too long a path. By default it is in the system's
	// directory for temporary files and named after the user.
	Runtime string
	// Observe is told what happens to the engines, one call after the other for
	// each engine. It must not wait for an operation on that engine.
	Observe func(Event)
	// Certify issues what an engine proves with to be the node of that name when
	// it follows another. Without it no engine can follow another.
	Certify func(name string) (Certificate, error)
	Clock   clock.Clock
	Log     *slog.Logger

	patience patience // tests have less
}

// Happening is what an Event tells.
type Happening string

// An engine started (and is closed to customers until Apply), crashed (and will
// be started again), was stopped, no longer answers its administrator, or
// answers again. One that does not answer is not killed: a customer may keep it
// busy with a script or with CLIENT PAUSE.
const (
	Started      Happening = "started"
	Crashed      Happening = "crashed"
	Stopped      Happening = "stopped"
	Unresponsive Happening = "unresponsive"
	Responsive   Happening = "responsive"
)

// Event is something that happened to an engine.
type Event struct {
	Name      string // of the Spec
	Happening Happening
	Start     string // names the start of the process that this is about
	Err       error  // only with Crashed: why
}

// ErrUnknown says that the supervisor has no engine of that name.
var ErrUnknown = errors.New("no such engine is running")

// Supervisor runs the engines of one Gatehouse.
type Supervisor struct {
	options Options
	life    context.Context // ends with StopAll
	end     context.CancelFunc
	starts  sync.WaitGroup

	mu      sync.Mutex
	engines map[string]*Engine // nil while one starts
}

// NewSupervisor returns a supervisor without engines.
func NewSupervisor(options Options) *Supervisor {
	if options.Observe == nil {
		options.Observe = func(Event) {}
	}
	if options.Clock == nil {
		options.Clock = clock.Real
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	if options.Runtime == "" {
		options.Runtime = filepath.Join(os.TempDir(), fmt.Sprintf("gatehouse-%d", os.Getuid()))
	}
	if options.patience == (patience{}) {
		options.patience = usualPatience
	}
	life, end := context.WithCancel(context.Background())
	return &Supervisor{options: options, life: life, end: end, engines: map[string]*Engine{}}
}

// Start starts an engine and returns when it has loaded its data and answers.
// From then on it is kept running until Stop or StopAll; ctx bounds the start
// alone. Observe hears of the first start before Start returns. An engine that a
// dead supervisor left behind in the same directory is stopped first. Every
// start, the first or a later one, makes a primary of the data there is; whoever
// knows better tells it to Follow.
func (s *Supervisor) Start(ctx context.Context, spec Spec) (*Engine, error) {
	engine, err := s.start(ctx, spec)
	if err != nil {
		return nil, fmt.Errorf("starting the engine of %s: %w", spec.Name, err)
	}
	return engine, nil
}

func (s *Supervisor) start(ctx context.Context, spec Spec) (*Engine, error) {
	if err := check(spec); err != nil {
		return nil, err
	}
	program, err := findProgram(spec.Kind, s.options.Programs[spec.Kind])
	if err != nil {
		return nil, err
	}
	if err := s.reserve(spec.Name); err != nil {
		return nil, err
	}
	defer s.starts.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()
	engine, err := newEngine(ctx, spec, program, s.options)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		delete(s.engines, spec.Name)
		return nil, err
	}
	s.engines[spec.Name] = engine
	return engine, nil
}

func (s *Supervisor) reserve(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life.Err() != nil {
		return errors.New("the supervisor has stopped")
	}
	if _, there := s.engines[name]; there {
		return errors.New("it is running already")
	}
	s.engines[name] = nil
	s.starts.Add(1)
	return nil
}

// Engine returns a running engine, or nil.
func (s *Supervisor) Engine(name string) *Engine {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.engines[name]
}

// Stop stops an engine, so that its data is on disk, and forgets it. When ctx
// ends first the engine is killed. Without such an engine it is ErrUnknown.
func (s *Supervisor) Stop(ctx context.Context, name string) error {
	engine := s.Engine(name)
	if engine == nil {
		return fmt.Errorf("stopping the engine of %s: %w", name, ErrUnknown)
	}
	engine.stop(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.engines[name] == engine {
		delete(s.engines, name)
	}
	return nil
}

// StopAll stops all engines at the same time; none can be started afterwards.
func (s *Supervisor) StopAll(ctx context.Context) {
	s.mu.Lock()
	s.end()
	s.mu.Unlock()
	s.starts.Wait()
	s.mu.Lock()
	names := make([]string, 0, len(s.engines))
	for name := range s.engines {
		names = append(names, name)
	}
	s.mu.Unlock()
	var group sync.WaitGroup
	for _, name := range names {
		group.Go(func() { _ = s.Stop(ctx, name) }) // ErrUnknown: it is gone already
	}
	group.Wait()
}

// Delete stops the engine of spec, if it runs, and removes its directory with
// all data. An engine that a dead supervisor left behind is stopped too.
func (s *Supervisor) Delete(ctx context.Context, spec Spec) error {
	if err := s.Stop(ctx, spec.Name); err != nil && !errors.Is(err, ErrUnknown) {
		return err
	}
	if err := deleteHome(ctx, spec.Dir, s.options); err != nil {
		return fmt.Errorf("deleting the engine of %s: %w", spec.Name, err)
	}
	return nil
}

// nameForm keeps names harmless in process lists, paths and configuration.
var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)

func check(spec Spec) error {
	if !nameForm.MatchString(spec.Name) {
		return fmt.Errorf("the name %q has other characters than a-z, 0-9 and -", spec.Name)
	}
	if !filepath.IsAbs(spec.Dir) {
		return fmt.Errorf("the directory %q is not an absolute path", spec.Dir)
	}
	return checkSettings(spec.Settings)
}
