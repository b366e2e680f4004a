package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"

	"github.com/gatehouse/gatehouse/internal/datadir"
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
	settings, err := awsSettings(ctx)
	if err != nil {
		return "", err
	}
	if c.Region == "" {
		c.Region = settings.Region
	}
	if c.Region == "" {
		return "", errNoRegion
	}
	c.Credentials = settings.Credentials
	c.Logger = slog.New(slog.DiscardHandler)
	generator, err := cacheauth.NewGenerator(c)
	if err != nil {
		return "", usageError{err}
	}
	return generator.Token(ctx)
}

var errNoRegion = usageError{errors.New("no region: give --region, or set AWS_REGION")}

// awsSettings reads the AWS configuration as AWS's own tools do. An endpoint of
// Gatehouse is trusted by its own authority, which `gatehouse env` names, unless
// AWS_CA_BUNDLE says whom to trust.
func awsSettings(ctx context.Context, options ...func(*config.LoadOptions) error) (aws.Config, error) {
	options = append(options, config.WithLogger(logging.Nop{})) // errors say it all
	if ca := os.Getenv("GATEHOUSE_CA"); ca != "" && os.Getenv("AWS_CA_BUNDLE") == "" {
		roots, err := (&server{Server: datadir.Server{CA: ca}}).roots()
		if err != nil {
			return aws.Config{}, err
		}
		options = append(options, config.WithHTTPClient(awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
			t.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
		})))
	}
	settings, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return settings, fmt.Errorf("reading the AWS configuration: %w", err)
	}
	return settings, nil
}
