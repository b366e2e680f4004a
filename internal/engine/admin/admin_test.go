package admin_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/gatehouse/gatehouse/internal/engine/admin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var replies = []struct {
	text string
	want admin.Reply
}{
	{"+OK\r\n", admin.Reply{Kind: admin.Simple, Text: "OK"}},
	{"+\r\n", admin.Reply{Kind: admin.Simple}},
	{"-ERR no\r\n", admin.Reply{Kind: admin.Failure, Text: "ERR no"}},
	{":-42\r\n", admin.Reply{Kind: admin.Integer, Int: -42}},
	{"$0\r\n\r\n", admin.Reply{Kind: admin.Bulk}},
	{"$4\r\na\r\nb\r\n", admin.Reply{Kind: admin.Bulk, Text: "a\r\nb"}},
	{"$-1\r\n", admin.Reply{Kind: admin.Bulk, Null: true}},
	{"*-1\r\n", admin.Reply{Kind: admin.Array, Null: true}},
	{"*0\r\n", admin.Reply{Kind: admin.Array, Items: []admin.Reply{}}},
	{"*2\r\n:1\r\n*1\r\n$1\r\nx\r\n", admin.Reply{Kind: admin.Array, Items: []admin.Reply{
		{Kind: admin.Integer, Int: 1},
		{Kind: admin.Array, Items: []admin.Reply{{Kind: admin.Bulk, Text: "x"}}},
	}}},
}

var malformed = []string{
	"", "+OK", "+OK\n", "\r\n", "?\r\n", ":\r\n", ":x\r\n", "$\r\n", "$-2\r\n", "$x\r\n", "$1\r\nab\r\n", "$2\r\nab",
	"$99999999999999999999\r\n", "$33554432\r\n", "*-2\r\n", "*x\r\n", "*1\r\n", "*2000000\r\n", "%1\r\n+a\r\n+b\r\n",
	strings.Repeat("*1\r\n", 30), "+" + strings.Repeat("x", 5000) + "\r\n",
}

func TestRead(t *testing.T) {
	for _, test := range replies {
		reader := bufio.NewReader(strings.NewReader(test.text + "+next\r\n"))
		got, err := admin.Read(reader)
		if err != nil || !cmp.Equal(got, test.want) {
			t.Errorf("%q reads as %+v, %v", test.text, got, err)
		}
		if next, err := admin.Read(reader); err != nil || next.Text != "next" {
			t.Errorf("after %q comes %+v, %v", test.text, next, err)
		}
	}
	for _, text := range malformed {
		if got, err := admin.Read(bufio.NewReader(strings.NewReader(text))); err == nil {
			t.Errorf("%q reads as %+v", text, got)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, test := range replies {
		f.Add(test.text)
	}
	for _, text := range malformed {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		source := strings.NewReader(text)
		reply, err := admin.Read(bufio.NewReader(source))
		if err == nil && !strings.ContainsRune("+-:$*", rune(reply.Kind)) {
			t.Fatalf("%q reads as %+v", text, reply)
		}
	})
}

// server answers the first bytes of a client with reply and then is silent.
func server(t *testing.T, reply string) *admin.Conn {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		buffer := make([]byte, 1024)
		if _, err := conn.Read(buffer); err != nil {
			return
		}
		_, _ = io.WriteString(conn, reply)
		_, _ = conn.Read(buffer) // until the client closes
	}()
	conn, err := admin.Dial(context.Background(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		_ = listener.Close()
		<-done
	})
	return conn
}

func TestDo(t *testing.T) {
	if reply, err := server(t, "+OK\r\n").Do(context.Background(), "AUTH", "user", "secret"); err != nil || reply.Text != "OK" {
		t.Errorf("got %+v, %v", reply, err)
	}
	_, err := server(t, "-NOPERM not you\r\n").Do(context.Background(), "AUTH", "user", "secret")
	if !admin.IsReply(err, "NOPERM") || admin.IsReply(err, "WRONGPASS") || admin.IsReply(io.EOF, "NOPERM") {
		t.Errorf("the error is %v", err)
	}
	if _, err := server(t, "").Do(context.Background()); err == nil {
		t.Error("no command was sent")
	}
}

func TestDoEndsWithItsContext(t *testing.T) {
	late, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err := server(t, "$10\r\nhalf").Do(late, "AUTH", "user", "hidden")
	if !errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "hidden") {
		t.Errorf("the error is %v", err)
	}
	given, up := context.WithCancel(context.Background())
	time.AfterFunc(20*time.Millisecond, up)
	if _, err := server(t, "").Do(given, "PING"); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}
