package engine

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"

	"github.com/gatehouse/gatehouse/internal/identity"
)

// ErrNotInstalled is wrapped by the error of Start when the program is missing.
var ErrNotInstalled = errors.New("not installed")

// Installed says whether the program of an engine can be found; the error says
// how to install it.
func (s *Supervisor) Installed(kind identity.Engine) error {
	_, err := findProgram(kind, s.options.Programs[kind])
	return err
}

// findProgram returns the absolute path of an engine's program: it is shown by
// INFO, where a relative one would be shown with the engine's directory.
func findProgram(kind identity.Engine, configured string) (string, error) {
	if kind != identity.Valkey && kind != identity.Redis {
		return "", fmt.Errorf("there is no engine %q", kind)
	}
	name := string(kind) + "-server"
	if configured != "" {
		name = configured
	}
	path, err := exec.LookPath(name)
	if err != nil {
		hint := "on Debian 12 `make setup` does it (valkey-server is in bookworm-backports); elsewhere install Valkey 7.2 or later"
		if kind == identity.Redis {
			hint = "on Debian 12 `make setup` does it; elsewhere install Redis OSS 7.0 or 7.2"
		}
		return "", fmt.Errorf("%s is %w: %s (%w)", name, ErrNotInstalled, hint, err)
	}
	return filepath.Abs(path)
}
