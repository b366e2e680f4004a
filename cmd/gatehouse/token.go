package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/gatehouse/gatehouse/pkg/cacheauth"
)

type tokenCommand struct {
	Cache      string `help:"The cache's name: the replication group id or the serverless cache's name, not the endpoint." required:""`
	User       string `help:"The user id, which of an IAM user is also its name." required:""`
	Serverless bool   `help:"The cache is serverless."`
	Region     string `help:"The cache's region. Default: that of the AWS configuration."`
}

// Run prints a token, made with the credentials that AWS's own tools would use.
// It needs no server, and the token is good for real ElastiCache too.
func (c tokenCommand) Run(ctx context.Context) error {
	token, err := makeToken(ctx, cacheauth.Config{Cache: c.Cache, User: c.User, Region: c.Region, Serverless: c.Serverless})
	if err != nil {
		return err
	}
	_, err = fmt.Println(token)
	return err
}

// makeToken completes a configuration from the AWS environment and signs.
func makeToken(ctx context.Context, c cacheauth.Config) (string, error) {
	settings, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return "", fmt.Errorf("reading the AWS configuration: %w", err)
	}
	if c.Region == "" {
		c.Region = settings.Region
	}
	if c.Region == "" {
		return "", usageError{errors.New("no region: give --region, or set AWS_REGION")}
	}
	c.Credentials = settings.Credentials
	c.Logger = slog.New(slog.NewTextHandler(io.Discard, nil)) // the error says it all
	generator, err := cacheauth.NewGenerator(c)
	if err != nil {
		return "", usageError{err}
	}
	return generator.Token(ctx)
}
