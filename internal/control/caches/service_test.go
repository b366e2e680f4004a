package caches

import (
	"errors"
	"testing"

	"github.com/gatehouse/gatehouse/internal/identity"
)

func TestAnEngineThatIsNotInstalledIsToldAtCreation(t *testing.T) {
	h := newHouse(t, func(c *Config) {
		c.Installed = func(engine identity.Engine) error {
			if engine == identity.Redis {
				return errors.New("redis-server is not installed: make setup does it")
			}
			return nil
		}
	})
	_, err := h.CreateReplicationGroup(t.Context(), basic("orders"))
	h.refused(err, identity.InsufficientCapacity,
		"A cache with engine redis cannot run here: redis-server is not installed: make setup does it.")
	h.create(basic("orders", withEngine("valkey", "8.0")))
}
