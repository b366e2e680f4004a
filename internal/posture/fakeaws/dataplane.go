package fakeaws

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// dataPrefix is where the APIs that the fake hosts answer their own callers.
const dataPrefix = "/data/"

// serveData answers as the configured API would: /data/account/region/http/id…
// and /data/account/region/graphql/id.
func (f *Fake) serveData(w http.ResponseWriter, r *http.Request) {
	parts := strings.SplitN(strings.TrimPrefix(r.URL.Path, dataPrefix), "/", 5)
	if len(parts) < 4 {
		http.NotFound(w, r)
		return
	}
	rest := "/"
	if len(parts) == 5 {
		rest += parts[4]
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	region := f.region(parts[0], parts[1])
	if parts[2] == "graphql" {
		region.serveGraphQL(w, r, parts[3])
		return
	}
	region.serveHTTP(w, r, parts[3], rest)
}

func (r *Region) serveHTTP(w http.ResponseWriter, req *http.Request, api, path string) {
	stage := "$default"
	first, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if s := r.table("stages/" + api).byID[first]; s != nil {
		stage, path = first, "/"+rest
	}
	routes := r.served(api, stage)
	key := match(routes, req.Method, path)
	socket := text(r.table("apis").byID[api], "protocolType") == "WEBSOCKET"
	if socket {
		key = connectRoute(routes, req)
	}
	if key == "" {
		http.Error(w, `{"message":"Not Found"}`, http.StatusNotFound)
		return
	}
	r.measure("AWS/ApiGateway", "Count", map[string]string{"ApiId": api}, 1)
	if s := r.table("stages/" + api).byID[stage]; yes(s, "defaultRouteSettings", "detailedMetricsEnabled") {
		method, resource, found := strings.Cut(key, " ")
		if !found {
			method, resource = key, key
		}
		r.measure("AWS/ApiGateway", "Count", map[string]string{"ApiId": api, "Stage": stage, "Method": method, "Resource": resource}, 1)
	}
	authorization := req.Header.Get("Authorization")
	asks := text(routes, key)
	if truth(r.table("apis").byID[api], "_anonymous") { // an API that does not do what its configuration says
		asks = "NONE"
	}
	switch asks {
	case "JWT", "CUSTOM":
		if authorization == "" {
			http.Error(w, `{"message":"Unauthorized"}`, http.StatusUnauthorized)
			return
		}
	case "AWS_IAM":
		if !strings.HasPrefix(authorization, "AWS4-HMAC-SHA256") {
			http.Error(w, `{"message":"Forbidden"}`, http.StatusForbidden)
			return
		}
	}
	if socket {
		w.Header().Set("Upgrade", "websocket")
		w.Header().Set("Connection", "Upgrade")
		w.WriteHeader(http.StatusSwitchingProtocols)
		return
	}
	_, _ = io.WriteString(w, `{"ok":true}`)
}

// connectRoute is what a WebSocket API asks when a connection is opened.
func connectRoute(routes Doc, req *http.Request) string {
	if _, ok := routes["$connect"]; ok && strings.EqualFold(req.Header.Get("Upgrade"), "websocket") {
		return "$connect"
	}
	return ""
}

func (r *Region) serveGraphQL(w http.ResponseWriter, req *http.Request, api string) {
	d := r.table("graphql").byID[api]
	modes, mode := graphqlModes(d), ""
	if key := r.table("apikeys/" + api).byID[req.Header.Get("X-Api-Key")]; key != nil && modes["API_KEY"] && int64(integer(key["expires"])) > r.fake.Now().Unix() {
		mode = "API_KEY"
	}
	if strings.HasPrefix(req.Header.Get("Authorization"), "AWS4-HMAC-SHA256") && modes["AWS_IAM"] {
		mode = "AWS_IAM"
	}
	if mode == "" {
		http.Error(w, `{"errors":[{"errorType":"UnauthorizedException","message":"You are not authorized to make this call."}]}`, http.StatusUnauthorized)
		return
	}
	for _, trail := range r.table("trails").list() {
		group, _ := trail["CloudWatchLogsLogGroupArn"].(string)
		if group != "" && strings.Contains(fmt.Sprint(trail["_selectors"]), "AWS::AppSync::GraphQLApi") {
			line, _ := json.Marshal(Doc{
				"eventSource": "appsync.amazonaws.com", "eventName": "GraphQL", "additionalEventData": Doc{"authType": []string{mode}},
				"resources": []Doc{{"type": "AWS::AppSync::GraphQLApi", "ARN": d["arn"]}},
			})
			name := strings.TrimSuffix(group[strings.LastIndex(group, "log-group:")+len("log-group:"):], ":*")
			r.writeLog(name, string(line))
		}
	}
	_, _ = io.WriteString(w, `{"data":{"__typename":"Query"}}`)
}

// cacheServer is a TLS endpoint that answers PING and AUTH as its cache would.
type cacheServer struct {
	listener net.Listener
	conns    sync.WaitGroup
	mu       sync.Mutex
	open     map[net.Conn]bool
}

func (c *cacheServer) close() {
	_ = c.listener.Close()
	c.mu.Lock()
	for conn := range c.open {
		_ = conn.Close()
	}
	c.mu.Unlock()
	c.conns.Wait()
}

// ServeCache gives a replication group or a serverless cache a TLS endpoint on
// the loopback interface, and returns the authority that its certificate
// verifies against.
func (r *Region) ServeCache(tableName, id string) *x509.CertPool {
	pair, pool := selfSigned()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12})
	if err != nil {
		panic(fmt.Sprintf("fakeaws: listening for a cache: %v", err))
	}
	_, portText, _ := net.SplitHostPort(listener.Addr().String())
	port, _ := strconv.Atoi(portText)
	endpoint := Doc{"Address": "127.0.0.1", "Port": port}
	r.Edit(tableName, id, func(d Doc) {
		d["Endpoint"] = endpoint
		if groups, ok := d["NodeGroups"].([]Doc); ok {
			groups[0]["PrimaryEndpoint"] = endpoint
			delete(d, "Endpoint")
		}
	})
	server := &cacheServer{listener: listener, open: map[net.Conn]bool{}}
	r.fake.caches = append(r.fake.caches, server)
	server.conns.Add(1)
	go func() {
		defer server.conns.Done()
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			server.mu.Lock()
			server.open[conn] = true
			server.mu.Unlock()
			server.conns.Add(1)
			go func() {
				defer server.conns.Done()
				r.speak(conn, tableName, id)
				server.mu.Lock()
				delete(server.open, conn)
				server.mu.Unlock()
			}()
		}
	}()
	return pool
}

// speak serves one connection: RESP arrays and inline commands, PING and AUTH.
func (r *Region) speak(conn net.Conn, tableName, id string) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	in2 := false
	for {
		words, err := readCommand(in)
		if err != nil || len(words) == 0 {
			return
		}
		open, tokens := r.accepts(tableName, id)
		reply := "-NOAUTH Authentication required.\r\n"
		switch {
		case strings.EqualFold(words[0], "AUTH"):
			in2 = slices.Contains(tokens, words[len(words)-1])
			reply = "+OK\r\n"
			if !in2 {
				reply = "-WRONGPASS invalid username-password pair or user is disabled.\r\n"
			}
		case in2 || open:
			reply = "+PONG\r\n"
		}
		if _, err := io.WriteString(conn, reply); err != nil {
			return
		}
	}
}

func readCommand(in *bufio.Reader) ([]string, error) {
	line, err := in.ReadString('\n')
	if err != nil {
		return nil, err
	}
	line = strings.TrimRight(line, "\r\n")
	if !strings.HasPrefix(line, "*") {
		return strings.Fields(line), nil
	}
	n, err := strconv.Atoi(line[1:])
	if err != nil || n > 8 {
		return nil, fmt.Errorf("reading an array of %q", line)
	}
	words := make([]string, 0, n)
	for range n {
		if _, err := in.ReadString('\n'); err != nil {
			return nil, err
		}
		word, err := in.ReadString('\n')
		if err != nil {
			return nil, err
		}
		words = append(words, strings.TrimRight(word, "\r\n"))
	}
	return words, nil
}

// accepts says whether a cache serves callers who prove nothing, and which
// passwords it takes.
func (r *Region) accepts(tableName, id string) (open bool, passwords []string) {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	d := r.table(tableName).byID[id]
	if truth(d, "_anonymous") { // a cache that does not do what its configuration says
		return true, nil
	}
	groups := texts(d["UserGroupIds"])
	if g := text(d, "UserGroupId"); g != "" {
		groups = append(groups, g)
	}
	if len(groups) == 0 {
		auth := text(d, "_auth")
		return auth == "" || auth == authNone || auth == authOpt1, texts(d["_tokens"])
	}
	for _, g := range groups {
		for _, uid := range texts(r.table("usergroups").byID[g]["UserIds"]) {
			u := r.table("users").byID[uid]
			on := strings.HasPrefix(text(u, "AccessString"), "on")
			noPassword := dig(u, "Authentication", "Type") == "no-password"
			open = open || (on && noPassword && text(u, "UserName") == "default")
			if on {
				passwords = append(passwords, texts(u["_passwords"])...)
			}
		}
	}
	return open, passwords
}

func selfSigned() (tls.Certificate, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "fake cache"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(24 * time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, pool
}
