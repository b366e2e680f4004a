package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/gatehouse/gatehouse/internal/datadir"
)

type envCommand struct {
	serverFlags
}

// Run prints export lines for a shell to evaluate. The secret access key is
// among them: that is what the command is for.
func (c envCommand) Run() error {
	s, credentials, err := datadir.Find(c.dir())
	if err != nil {
		return err
	}
	var text strings.Builder
	export := func(name, value string) { fmt.Fprintf(&text, "export %s=%s\n", name, quote(value)) }
	export("AWS_ENDPOINT_URL", s.Endpoint)
	export("AWS_ACCESS_KEY_ID", credentials.AccessKeyID)
	export("AWS_SECRET_ACCESS_KEY", credentials.SecretAccessKey.Reveal())
	export("AWS_REGION", s.Region)
	export("AWS_DEFAULT_REGION", s.Region)
	export("GATEHOUSE_CA", s.CA)
	if s.TLS {
		export("AWS_CA_BUNDLE", s.CA)
	}
	for _, name := range []string{"AWS_SESSION_TOKEN", "AWS_PROFILE"} {
		if os.Getenv(name) != "" { // would be used together with the key above, or in its place
			fmt.Fprintf(&text, "unset %s\n", name)
		}
	}
	_, err = fmt.Print(text.String())
	return err
}

// quote makes a word that every POSIX shell reads as value.
func quote(value string) string {
	if value != "" && strings.Trim(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/:._-") == "" {
		return value
	}
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}
