package cacheauth_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/redis/go-redis/v9"

	"github.com/gatehouse/gatehouse/pkg/cacheauth"
)

// A token for a client that this module has no adapter for.
func ExampleGenerator_Token() {
	generator, err := cacheauth.NewGenerator(cacheauth.Config{
		Cache: "orders", User: "app", Region: "us-east-1",
		Credentials: credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""),
	})
	if err != nil {
		log.Fatal(err)
	}
	token, err := generator.Token(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(strings.Split(token, "&X-Amz")[0])
	// Output: orders/?Action=connect&User=app
}

// go-redis asks for a login for every connection that it makes. ElastiCache
// closes each after 12 hours; package goredisauth renews them before.
func ExampleProvider_Credentials() {
	ctx := context.Background()
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		log.Fatal(err)
	}
	provider, err := cacheauth.NewProvider(cacheauth.Config{
		Cache: "orders", User: "app", Region: cfg.Region, Serverless: true, Credentials: cfg.Credentials,
		// While the application migrates: the password as before.
		Fallback: func(context.Context) (string, string, error) {
			return "default", os.Getenv("CACHE_PASSWORD"), nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	client := redis.NewClient(&redis.Options{
		Addr:                       "orders-abc123.serverless.use1.cache.amazonaws.com:6379",
		TLSConfig:                  &tls.Config{MinVersion: tls.VersionTLS12},
		CredentialsProviderContext: provider.Credentials,
	})
	defer func() { _ = client.Close() }()
	fmt.Println(client.Ping(ctx).Err())
}
