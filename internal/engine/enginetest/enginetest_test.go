package enginetest_test

import (
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/engine/admin"
	"github.com/gatehouse/gatehouse/internal/engine/enginetest"
	"github.com/gatehouse/gatehouse/internal/identity"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStart(t *testing.T) {
	for _, kind := range []identity.Engine{identity.Valkey, identity.Redis} {
		t.Run(string(kind), func(t *testing.T) {
			server := enginetest.Start(t, kind, "maxmemory 12mb")
			if got := server.Must("ACL", "WHOAMI").Text; got != directory.AdminUser {
				t.Errorf("the administrator is %q", got)
			}
			if got := server.Must("CONFIG", "GET", "maxmemory").Texts(); got[1] != "12582912" {
				t.Errorf("maxmemory is %q", got)
			}
			if _, err := enginetest.Do(server.Dial(), "PING"); !admin.IsReply(err, "NOAUTH") {
				t.Errorf("a stranger is answered %v", err)
			}
			list := server.Must("CLIENT", "LIST").Text
			if !strings.Contains(list, "addr=gateway:0") {
				t.Errorf("the socket's name is not just its word: %s", list)
			}
		})
	}
}
