package remote

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/gatehouse/gatehouse/internal/directory"
	"github.com/gatehouse/gatehouse/internal/gateway"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// fill gives every exported field that v reaches a value that is not zero, so
// that a field which the wire forgets is found.
func fill(t *testing.T, v reflect.Value, n *int) {
	t.Helper()
	*n++
	if v.Type() == reflect.TypeFor[identity.Secret]() {
		v.Set(reflect.ValueOf(identity.NewSecret(fmt.Sprint("secret-", *n))))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprint("text-", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint8:
		v.SetUint(uint64(*n % 251))
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), n)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(t, v.Index(i), n)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(t, v.Index(i), n)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), n)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 2 {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(t, key, n)
			fill(t, value, n)
			v.SetMapIndex(key, value)
		}
	default:
		t.Fatalf("the test cannot fill a %v: teach it to", v.Type())
	}
}

func fullCache(t *testing.T) *directory.Cache {
	t.Helper()
	var c directory.Cache
	n := 0
	fill(t, reflect.ValueOf(&c).Elem(), &n)
	return &c
}

func TestEveryFieldOfACacheArrives(t *testing.T) {
	c := fullCache(t)
	var wire bytes.Buffer
	if err := writeFrame(&wire, toGateway{Cache: toWire(c)}, maxToGateway); err != nil {
		t.Fatal(err)
	}
	var m toGateway
	if err := readFrame(&wire, maxToGateway, &m); err != nil {
		t.Fatal(err)
	}
	if got := m.Cache.cache(); !reflect.DeepEqual(got, c) {
		t.Errorf("what arrived differs:\n%+v\n%+v\n(a field of directory's that wire.go does not carry?)", got, c)
	}
}

func TestTheListenHostIsTheGatewaysOwn(t *testing.T) {
	c := &directory.Cache{Nodes: []directory.Node{{Listen: "127.0.0.1:16379"}, {Listen: "[::1]:16380"}}}
	w := toWire(c).listenAt("10.0.0.9")
	if w.Nodes[0].Listen != "10.0.0.9:16379" || w.Nodes[1].Listen != "10.0.0.9:16380" || c.Nodes[0].Listen != "127.0.0.1:16379" {
		t.Errorf("the nodes listen at %+v; the published ones at %+v", w.Nodes, c.Nodes)
	}
}

func TestShutKeepsWhatSessionsLiveBy(t *testing.T) {
	c := fullCache(t)
	c.Users = []directory.User{
		{Name: identity.DefaultUser, Incarnation: "1", Inherits: []string{"0"}, Enabled: true, Auth: identity.AuthNoPassword},
		{Name: "alice", Incarnation: "2", Enabled: true, Auth: identity.AuthPassword},
	}
	c.Nodes[0].Secrets = map[string]identity.Secret{identity.DefaultUser: identity.NewSecret("d"), "alice": identity.NewSecret("a")}
	closed := shut(c)
	for i, user := range closed.Users {
		was := c.Users[i]
		if user.Enabled || !was.Enabled {
			t.Errorf("user %s: enabled %v in the shut form, %v in the original", user.Name, user.Enabled, was.Enabled)
		}
		if user.Name != was.Name || user.Incarnation != was.Incarnation || len(user.Inherits) != len(was.Inherits) {
			t.Errorf("user %s is not the same: %+v", was.Name, user)
		}
	}
	if closed.Anonymous != c.Anonymous || len(closed.Tickets) != 0 {
		t.Errorf("anonymous %v, %d tickets", closed.Anonymous, len(closed.Tickets))
	}
	if _, has := closed.Nodes[0].Secrets[identity.DefaultUser]; has {
		t.Error("an anonymous client could still be connected")
	}
	if _, has := c.Nodes[0].Secrets[identity.DefaultUser]; !has {
		t.Error("the original was changed")
	}
	if closed.Nodes[0].Start != c.Nodes[0].Start || closed.Nodes[0].Listen != c.Nodes[0].Listen {
		t.Error("the node looks like another one")
	}
}

func frame(text string) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(text))), text...)
}

func TestFramesAreBoundedAndWhole(t *testing.T) {
	for _, test := range []struct {
		name  string
		bytes []byte
		want  error
	}{
		{"a message", frame(`{"ack":{"revision":1}}`), nil},
		{"too long", []byte{0xff, 0xff, 0xff, 0xff}, errFrame},
		{"cut off in the header", []byte{0, 0}, io.ErrUnexpectedEOF},
		{"cut off in the text", frame(`{"ack":{}}`)[:9], io.ErrUnexpectedEOF},
		{"not JSON", frame(`{"ack":`), errFrame},
		{"no message", frame(`{}`), errFrame},
		{"two messages", frame(`{"ack":{},"leave":{}}`), errFrame},
		{"another message", frame(`{"welcome":{}}`), errFrame},
	} {
		var m toControl
		if err := readFrame(bytes.NewReader(test.bytes), maxToControl, &m); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
	if err := writeFrame(io.Discard, strings.Repeat("x", maxToControl), maxToControl); err == nil {
		t.Error("a frame that the other side must refuse was sent")
	}
}

func TestABadFrameDoesNotQuoteItself(t *testing.T) {
	var m toGateway
	err := readFrame(bytes.NewReader(frame(`{"welcome":{"digestKey":"not-base64-hunter2"}}`)), maxToGateway, &m)
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error is %v", err)
	}
}

func FuzzReadFrame(f *testing.F) {
	for _, text := range []string{
		`{"hello":{"version":1,"instance":"a","process":"b"}}`, `{"ack":{"revision":-1}}`, `{"leave":{}}`,
		`{"events":{"first":9223372036854775807,"events":[{},{}]}}`, `{"sessions":{"number":1,"sessions":[{"cache":"c"}]}}`,
		`{"cache":{"id":"c","nodes":[{"listen":"h:1","secrets":{"u":"s"}}]}}`, `{"commit":{"revision":2,"full":true,"gone":["x"]}}`,
		`{"welcome":{"digestKey":"AAAA","maxStale":1}}`, `null`, `[]`, `{"renew":null}`,
	} {
		f.Add(frame(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var up toControl
		if readFrame(bytes.NewReader(data), maxToControl, &up) == nil && !up.valid() {
			t.Error("a frame without exactly one message was taken")
		}
		var down toGateway
		if readFrame(bytes.NewReader(data), maxToGateway, &down) == nil && down.Cache != nil {
			c := down.Cache.listenAt("h").cache()
			if _, err := json.Marshal(toWire(shut(c))); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestTheBacklogIsBoundedAndTellsWhatItLost(t *testing.T) {
	b := newBacklog()
	for range maxBacklog + 7 {
		b.add(gateway.LoginEvent{})
	}
	got := int64(0)
	for batch := b.batch(); batch != nil; batch = b.batch() {
		if batch.First != got+1 || batch.Dropped != 7 || len(batch.Events) > maxBatch {
			t.Fatalf("after %d events: first %d, dropped %d, %d events", got, batch.First, batch.Dropped, len(batch.Events))
		}
		got += int64(len(batch.Events))
		b.confirm(got)
		b.confirm(got - 1) // a confirmation that comes late changes nothing
	}
	if got != maxBacklog || !b.empty() {
		t.Errorf("%d events came out of %d", got, maxBacklog)
	}
}
