// Package valkeyauth keeps the connections of valkey-go logged in with IAM: a
// fresh token for every connection, and another login on the same connection
// before ElastiCache would close it after 12 hours.
//
//	provider, err := cacheauth.NewProvider(config)
//	client, err := valkeyauth.NewClient(ctx, provider, valkey.ClientOption{
//		InitAddress: []string{address}, TLSConfig: &tls.Config{},
//	})
package valkeyauth

import (
	"context"
	"fmt"
	"time"

	"github.com/valkey-io/valkey-go"

	"github.com/gatehouse/gatehouse/pkg/cacheauth"
)

// loginTime ends the making of one login. valkey-go gives no context here, and
// closes a connection whose renewal fails.
const loginTime = 10 * time.Second

// CredentialsFn is for ClientOption.AuthCredentialsFn. When the server refuses a
// token later on, the application can tell the provider (Provider.Report) and
// send the command again: the next connections use the fallback password.
func CredentialsFn(ctx context.Context, provider *cacheauth.Provider) func(valkey.AuthCredentialsContext) (valkey.AuthCredentials, error) {
	return func(valkey.AuthCredentialsContext) (valkey.AuthCredentials, error) {
		ctx, cancel := context.WithTimeout(ctx, loginTime)
		defer cancel()
		login, err := provider.Login(ctx)
		if err != nil {
			return valkey.AuthCredentials{}, err
		}
		return valkey.AuthCredentials{
			Username: login.Username, Password: login.Password, RefreshAfter: time.Now().Add(login.RenewAfter),
		}, nil
	}
}

// NewClient is valkey.NewClient with CredentialsFn. When the server refuses the
// first token and the provider has a fallback, it connects with that. The
// context ends the making of logins; the client itself is closed as usual.
func NewClient(ctx context.Context, provider *cacheauth.Provider, option valkey.ClientOption) (valkey.Client, error) {
	option.AuthCredentialsFn = CredentialsFn(ctx, provider)
	client, err := valkey.NewClient(option)
	if err != nil && provider.Report(ctx, err) {
		client, err = valkey.NewClient(option)
	}
	if err != nil {
		return nil, fmt.Errorf("valkeyauth: connecting: %w", err)
	}
	return client, nil
}
