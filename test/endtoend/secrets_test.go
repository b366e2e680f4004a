package endtoend

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
)

// Whatever a customer gives as a secret is nowhere afterwards: not in the data
// directory (store, trail, engines' files, logs), not in the server's output, not
// in any process's arguments or environment, and in no answer of the API.
func TestNoSecretIsWrittenAnywhere(t *testing.T) {
	s := serve(t)
	secrets := []string{"alices-secret-passw0rd", "a-second-passw0rd-of-alice", "the-very-first-token-1", "the-second-token-zwei"}
	s.createUser("alice", "alice", "on ~* +@all", secrets[0])
	s.createGroup("team", "alice")
	withGroup := s.createCache("orders", func(in *elasticache.CreateReplicationGroupInput) { in.UserGroupIds = []string{"team"} })
	withToken := s.createCache("carts", func(in *elasticache.CreateReplicationGroupInput) { in.AuthToken = aws.String(secrets[2]) })
	s.modifyUser(&elasticache.ModifyUserInput{UserId: aws.String("alice"), Passwords: secrets[:2]})
	s.rotate("carts", secrets[3], "ROTATE")
	ctx := t.Context()
	for _, c := range []struct{ address, user, password string }{
		{withGroup, "alice", secrets[0]}, {withGroup, "alice", secrets[1]}, {withToken, "", secrets[2]}, {withToken, "", secrets[3]},
	} {
		session := s.redis(c.address, c.user, c.password)
		allowed(t, session.Ping(ctx))
		for _, command := range [][]any{{"ACL", "LIST"}, {"ACL", "LOG"}, {"CLIENT", "LIST"}, {"SLOWLOG", "GET"}, {"INFO", "everything"}} {
			out, err := session.Do(ctx, command...).Result()
			if err != nil {
				t.Errorf("%v: %v", command, err)
			}
			lookFor(t, secrets, []byte(toText(out)), "the reply to "+command[0].(string))
		}
	}
	refusedWith(t, "WRONGPASS", s.redis(withToken, "", secrets[0]).Ping(ctx)) // a right secret in the wrong place
	refusedWith(t, "WRONGPASS", s.redis(withGroup, secrets[1], secrets[0]).Ping(ctx))

	if out, err := s.gatehouse("", "trail", "--output", "json"); err != nil {
		t.Error(err)
	} else {
		lookFor(t, secrets, []byte(out), "the trail")
	}
	lookFor(t, secrets, []byte(s.log.String()), "the server's output")
	s.lookInProcesses(secrets)
	s.stop() // so that everything is on disk
	s.lookInFiles(secrets)
}

func lookFor(t *testing.T, secrets []string, text []byte, where string) {
	t.Helper()
	for _, secret := range secrets {
		if bytes.Contains(text, []byte(secret)) {
			t.Errorf("%s holds %q", where, secret)
		}
	}
}

func toText(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case []any:
		text := ""
		for _, item := range v {
			text += toText(item) + "\n"
		}
		return text
	case map[any]any:
		text := ""
		for key, item := range v {
			text += toText(key) + " " + toText(item) + "\n"
		}
		return text
	default:
		return ""
	}
}

// lookInProcesses reads what ps could show of the server and its engines.
func (s *server) lookInProcesses(secrets []string) {
	s.t.Helper()
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil || len(processes) == 0 {
		s.t.Skip("there is no /proc to look at processes")
	}
	looked := 0
	for _, process := range processes {
		arguments, err := os.ReadFile(filepath.Join(process, "cmdline"))
		if err != nil || !bytes.Contains(arguments, []byte("gatehouse")) {
			continue
		}
		looked++
		environment, _ := os.ReadFile(filepath.Join(process, "environ")) // another user's cannot be read, by us or anyone
		lookFor(s.t, secrets, append(arguments, environment...), process)
	}
	if looked < 3 {
		s.t.Errorf("looked at %d processes, want the server and two engines at least", looked)
	}
}

func (s *server) lookInFiles(secrets []string) {
	s.t.Helper()
	files := 0
	err := filepath.WalkDir(s.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		lookFor(s.t, secrets, text, path)
		return nil
	})
	if err != nil || files < 10 {
		s.t.Errorf("looked at %d files, %v", files, err)
	}
}
