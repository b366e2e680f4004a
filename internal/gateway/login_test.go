package gateway_test

import (
	"strings"
	"testing"
)

const wrongPass = "-WRONGPASS invalid username-password pair or user is disabled.\r\n"

func TestLoginAndRelay(t *testing.T) {
	for _, kind := range engines {
		t.Run(string(kind), func(t *testing.T) {
			r := newRig(t, kind, nil, user{name: "alice", password: "alice's password"}, user{name: "bob", password: "bob's password", rules: []string{"~*", "+get"}})
			c := r.dial()
			c.want("-NOAUTH Authentication required.\r\n", "GET", "k")
			c.want(wrongPass, "AUTH", "alice", "wrong")
			c.want(wrongPass, "AUTH", "nobody", "wrong")
			c.want("+OK\r\n", "AUTH", "alice", "alice's password")
			c.want("+OK\r\n", "SET", "k", "v")
			c.want(bulk("v"), "GET", "k")
			c.want(bulk("alice"), "ACL", "WHOAMI")
			c.want(wrongPass, "AUTH", "bob", "wrong")
			c.want(bulk("alice"), "ACL", "WHOAMI")
			c.want("+OK\r\n", "AUTH", "bob", "bob's password")
			c.want(bulk("v"), "GET", "k")
			if got := c.do("SET", "k", "w"); !strings.HasPrefix(got, "-NOPERM ") {
				t.Fatalf("bob may set: %q", got)
			}
			c.want("+RESET\r\n", "RESET")
			c.want("-NOAUTH Authentication required.\r\n", "GET", "k")
			c.want("+OK\r\n", "QUIT")
			c.wantClosed()
		})
	}
}
