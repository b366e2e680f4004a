package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/gatehouse/gatehouse/internal/serve"
)

type sessionsCommand struct {
	serverFlags
	outputFlag
	Cache string `help:"Only this cache." placeholder:"ID"`
}

// Run lists sessions, and says on standard error what an operator must not
// overlook.
func (c sessionsCommand) Run(ctx context.Context) error {
	s, err := c.find()
	if err != nil {
		return err
	}
	var answer serve.SessionsAnswer
	path := "/gatehouse/v1/sessions?" + url.Values{"cache": {c.Cache}}.Encode()
	if err := s.call(ctx, http.MethodGet, path, nil, &answer); err != nil {
		return err
	}
	for _, warning := range answer.Warnings {
		fmt.Fprintln(os.Stderr, "warning:", warning)
	}
	if c.Output == "json" {
		return printJSON(os.Stdout, answer)
	}
	return list(c.outputFlag, answer.Sessions, "Nobody is connected.",
		[]string{"GATEWAY", "CACHE", "NODE", "USER", "METHOD", "PEER", "SINCE", "COMMANDS"},
		func(s serve.Session) []string {
			return []string{
				s.Gateway, s.Cache, s.Node, s.User, string(s.Method), s.Peer,
				s.Since.Local().Format(time.DateTime), strconv.FormatInt(int64(s.Commands), 10),
			}
		})
}
