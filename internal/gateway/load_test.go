package gateway_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/identity"
)

// TestRotationWithoutLoss: passwords change under clients at work; no command
// of a session is lost, and right after the acknowledgement the old password
// is refused and the new one is right.
func TestRotationWithoutLoss(t *testing.T) {
	r := alone(t, nil)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for worker := range 4 {
		c := r.login("alice", alicePassword)
		wg.Go(func() {
			for n := 1; ; n++ {
				c.send("INCR", fmt.Sprint("counter", worker))
				if v := c.reply(); v.Int() != int64(n) {
					t.Errorf("worker %d: got %q, want %d", worker, v.Text, n)
					return
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	for i := range 50 {
		last, next := fmt.Sprint("the password ", i-1), fmt.Sprint("the password ", i)
		r.userOf("alice").Passwords = []identity.Digest{key.Digest(identity.NewSecret(next))}
		r.publish()
		c := r.dial()
		c.want(wrongPass, "AUTH", "alice", last)
		c.want("+OK\r\n", "AUTH", "alice", next)
		_ = c.Close()
	}
	close(stop)
	wg.Wait()
}

// TestManyAtOnce: sessions in every corner of the gateway at once get their own
// replies. It is for the race detector.
func TestManyAtOnce(t *testing.T) {
	forEngines(t, func(t *testing.T, r *rig) {
		var wg sync.WaitGroup
		for worker := range 6 {
			c := r.dial()
			wg.Go(func() {
				name := fmt.Sprint("worker", worker)
				for range 20 {
					c.write(cmd("AUTH", "alice", alicePassword) + cmd("CLIENT", "SETNAME", name) + cmd("CLIENT", "LIST") +
						cmd("AUTH", "carol", "wrong") + cmd("ACL", "LOG") + cmd("ECHO", name) + cmd("CLIENT", "KILL", "ADDR", "1.1.1.1:1") + cmd("RESET"))
					kinds := ""
					for range 8 {
						v := c.reply()
						kinds += string(v.Kind)
						if v.Kind == '$' && len(v.Text) < 10 && string(v.Text) != name {
							t.Errorf("another's reply: %q", v.Text)
						}
					}
					if kinds != "++$-*$:+" {
						t.Errorf("replies of the kinds %q", kinds)
					}
				}
			})
		}
		for range 20 {
			r.publish()
			_ = r.gateway.Sessions()
			_ = r.gateway.Metrics()
		}
		wg.Wait()
		for start := time.Now(); len(r.gateway.Sessions()) > 0; time.Sleep(time.Millisecond) {
			if time.Since(start) > patience { // the engine's answer may be faster than the gateway
				t.Fatalf("sessions after RESET: %+v", r.gateway.Sessions())
			}
		}
	})
}
