package goredisauth

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9"

	"github.com/gatehouse/gatehouse/pkg/cacheauth"
)

// Hook tells the provider when the server refuses a login, and sends what was
// refused once more with the fallback password. Without a fallback it is of no
// use. A command is sent again only if its connection could not log in, so none
// is executed twice.
func (s *Streaming) Hook() redis.Hook { return hook{s.provider} }

// Hook is the same for a client that uses cacheauth.Provider's Credentials as
// its CredentialsProviderContext.
func Hook(provider *cacheauth.Provider) redis.Hook { return hook{provider} }

type hook struct{ provider *cacheauth.Provider }

func (h hook) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h hook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if logsIn(cmd) || !h.provider.Report(ctx, err) {
			return err
		}
		cmd.SetErr(nil)
		return next(ctx, cmd)
	}
}

func (h hook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds)
		for _, cmd := range cmds {
			// When the connection cannot log in, every command has that error.
			if logsIn(cmd) || err == nil || !errors.Is(cmd.Err(), err) {
				return err
			}
		}
		if !h.provider.Report(ctx, err) {
			return err
		}
		for _, cmd := range cmds {
			cmd.SetErr(nil)
		}
		return next(ctx, cmds)
	}
}

// logsIn reports whether the refusal may be of the application's own login.
func logsIn(cmd redis.Cmder) bool { return cmd.Name() == "auth" || cmd.Name() == "hello" }
