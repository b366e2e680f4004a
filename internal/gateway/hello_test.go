package gateway

import (
	"bytes"
	"strings"
	"testing"
)

func TestReadHello(t *testing.T) {
	for _, tc := range []struct {
		words string
		want  hello
	}{
		{"hello", hello{}},
		{"hello 2", hello{protocol: 2}},
		{"hello 03", hello{fault: "ERR Protocol version is not an integer or out of range"}},
		{"hello 1", hello{fault: "NOPROTO unsupported protocol version"}},
		{"hello 3 auth u p", hello{protocol: 3, auth: true, user: "u", secret: []byte("p")}},
		{"hello 3 setname n AUTH u p", hello{protocol: 3, auth: true, user: "u", secret: []byte("p"), name: []byte("n")}},
		{"hello 3 auth a b auth u p", hello{protocol: 3, auth: true, user: "u", secret: []byte("p")}},
		{"hello 3 setname auth u p", hello{protocol: 3, name: []byte("auth"), fault: "ERR Syntax error in HELLO option 'u'"}},
		{"hello 3 auth u", hello{protocol: 3, fault: "ERR Syntax error in HELLO option 'auth'"}},
		{"hello 3 auth u p x", hello{protocol: 3, auth: true, user: "u", secret: []byte("p"), fault: "ERR Syntax error in HELLO option 'x'"}},
		{"hello 3 setname \x01", hello{protocol: 3, fault: "ERR Client names cannot contain spaces, newlines or special characters."}},
	} {
		got := readHello(bytes.Split([]byte(tc.words), []byte(" ")))
		if got.protocol != tc.want.protocol || got.auth != tc.want.auth || got.user != tc.want.user || !bytes.Equal(got.secret, tc.want.secret) ||
			!bytes.Equal(got.name, tc.want.name) || got.fault != tc.want.fault {
			t.Errorf("%s: %+v, want %+v", tc.words, got, tc.want)
		}
	}
}

func TestClassify(t *testing.T) {
	for words, want := range map[string]action{
		"GET k": pass, "AUTH": pass, "auth p": actAuth, "Auth u p": actAuth, "AUTH a b c": pass,
		"hello": pass, "HELLO 3": actHello, "reset": actReset, "reset x": pass, "QUIT x": actQuit,
		"multi": actMulti, "EXEC": actExec, "client": pass, "CLIENT list": actClients, "client INFO": actClients,
		"client kill": pass, "client kill x": actKill, "client reply": pass, "client reply off": actReply,
		"acl list": actUsers, "ACL USERS": actUsers, "acl getuser": pass, "acl getuser u": actUser, "acl log": actLog,
		"acl dryrun u": pass, "acl dryrun u get": actDryRun, "acl whoami": pass, "acl SetUser": actRestricted,
		"CONFIG": actRestricted, "config get x": actRestricted, "cluster info": pass, "cluster MEET": actRestricted,
		"script kill": pass, "SCRIPT debug yes": actRestricted, "replconf": actRestricted, "SYNC": actRestricted,
	} {
		if got := classifyWords(bytes.Split([]byte(words), []byte(" "))); got != want {
			t.Errorf("%s: %d, want %d", words, got, want)
		}
	}
}

// FuzzHello: a HELLO that has no fault means the same when it is written again
// in the gateway's own order.
func FuzzHello(f *testing.F) {
	for _, seed := range []string{"2", "3 auth u p", "3 setname n auth u p", "3 auth a b auth u p setname n", "x", "3 setname"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		h := readHello(bytes.Split([]byte("HELLO "+text), []byte(" ")))
		if strings.ContainsAny(h.fault, "\r\n\x00") {
			t.Fatalf("%q is no error line", h.fault)
		}
		if h.fault != "" {
			return
		}
		words := [][]byte{[]byte("HELLO"), {byte('0' + h.protocol)}}
		if h.auth {
			words = append(words, []byte("AUTH"), []byte(h.user), h.secret)
		}
		if h.name != nil {
			words = append(words, []byte("SETNAME"), h.name)
		}
		again := readHello(words)
		if again.fault != "" || again.user != h.user || !bytes.Equal(again.secret, h.secret) || !bytes.Equal(again.name, h.name) || again.auth != h.auth {
			t.Fatalf("%+v became %+v", h, again)
		}
	})
}
