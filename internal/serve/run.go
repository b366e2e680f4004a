package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/gatehouse/gatehouse/internal/config"
	"github.com/gatehouse/gatehouse/internal/datadir"
	"github.com/gatehouse/gatehouse/internal/trail"
)

const (
	// Limits of the API's listener. A signed request is small and its sender is
	// ready; answers wait for nothing that takes longer than these.
	readHeaderTime = 10 * time.Second
	readTime       = 30 * time.Second
	writeTime      = 60 * time.Second
	idleTime       = 2 * time.Minute
	maxHeader      = 64 << 10 // bytes; session tokens have a few KiB

	// stopTime bounds each step of a stop.
	stopTime = 20 * time.Second
)

// Run serves until ctx ends and stops cleanly. The error says what could not be
// started, or what failed while serving.
func Run(ctx context.Context, cfg config.Server, version string, log *slog.Logger) error {
	dir, err := datadir.Open(cfg.DataDir)
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()

	s, err := build(ctx, cfg, dir, log)
	if err != nil {
		return errors.Join(err, s.close())
	}
	listener, err := s.listen()
	if err != nil {
		return errors.Join(err, s.close())
	}
	s.trail.Append(trail.Record{Event: trail.ServerStarted, Outcome: "ok", Reason: "version " + version})
	err = s.serve(ctx, listener)
	s.trail.Append(trail.Record{Event: trail.ServerStopped, Outcome: "ok"})
	return errors.Join(err, s.close())
}

// listen opens the API's listener and leaves the note that commands find it by.
func (s *server) listen() (net.Listener, error) {
	listener, err := net.Listen("tcp", s.cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("opening the API's listener (--listen): %w", err)
	}
	scheme := "http"
	if s.cfg.ServesTLS() {
		scheme = "https"
	}
	note := datadir.Server{
		Endpoint: scheme + "://" + listener.Addr().String(), Region: s.cfg.Region, AccountID: s.cfg.AccountID,
		CA: s.authority.File(), TLS: s.cfg.ServesTLS(), PID: os.Getpid(),
	}
	if err := s.dir.WriteServer(note); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	s.log.Info("serving", "api", note.Endpoint, "caches", s.cfg.GatewayHost+":"+s.cfg.Ports, "data", s.dir.Path)
	return listener, nil
}

// serve runs everything until ctx ends or a part fails, and waits for all of it.
func (s *server) serve(ctx context.Context, listener net.Listener) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	api := s.httpServer()
	run := func(what string, part func(context.Context) error) {
		s.parts.Go(func() {
			if err := part(ctx); err != nil && ctx.Err() == nil {
				fail(fmt.Errorf("%s: %w", what, err))
			}
		})
	}
	// The gateway's end is awaited on its own: sessions end before the engines.
	run("following the store", s.state.Follow)
	run("converging", s.converger.Run)
	run("the gateway", s.gateway.Run)
	run("identities", s.iam.Run)
	run("following identities", s.followIdentities)
	run("watching", s.watch)
	run("measuring", s.meter.Run)
	run("the listener for gateways", s.serveGateways)
	run("watching gateways", s.watchFleet)
	run("serving the API", func(context.Context) error {
		var err error
		if s.cfg.ServesTLS() {
			err = api.ServeTLS(listener, "", "")
		} else {
			err = api.Serve(listener)
		}
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return err
	})
	<-ctx.Done()
	s.log.Info("stopping")
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	err := api.Shutdown(patience)
	s.parts.Wait()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	if err != nil {
		return fmt.Errorf("stopping the API: %w", err)
	}
	return nil
}

func (s *server) httpServer() *http.Server {
	server := &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: readHeaderTime, ReadTimeout: readTime, WriteTimeout: writeTime, IdleTimeout: idleTime,
		MaxHeaderBytes: maxHeader,
		ErrorLog:       slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	if s.cfg.ServesTLS() {
		server.TLSConfig = s.tlsConfig()
	}
	return server
}
