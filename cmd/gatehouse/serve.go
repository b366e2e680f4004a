package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/alecthomas/kong"

	"github.com/gatehouse/gatehouse/internal/config"
	"github.com/gatehouse/gatehouse/internal/serve"
)

type serveCommand struct {
	config.Server
	Config kong.ConfigFlag `help:"YAML file with settings by flag name; flags and GATEHOUSE_* variables win over it." placeholder:"FILE"`
}

// Run serves until the context ends.
func (c serveCommand) Run(ctx context.Context) error {
	if err := c.Server.Validate(); err != nil {
		return usageError{err}
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return usageError{err}
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	return serve.Run(ctx, c.Server, version, log)
}
