package certs_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"testing"

	"github.com/gatehouse/gatehouse/internal/certs"
	"github.com/gatehouse/gatehouse/internal/clock"
)

func TestCertificatesOfGatewaysAreForOneUse(t *testing.T) {
	a := authority(t, t.TempDir(), clock.Real)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	client, err := a.IssueClient("far", &key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	server, err := a.IssueServer("127.0.0.2", &key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	verify := func(cert *x509.Certificate, host string, use x509.ExtKeyUsage) bool {
		_, err := cert.Verify(x509.VerifyOptions{Roots: a.Pool(), DNSName: host, KeyUsages: []x509.ExtKeyUsage{use}})
		return err == nil
	}
	for _, test := range []struct {
		name string
		cert *x509.Certificate
		host string
		use  x509.ExtKeyUsage
		want bool
	}{
		{"a client as a client", client, "", x509.ExtKeyUsageClientAuth, true},
		{"a client as a server", client, "", x509.ExtKeyUsageServerAuth, false},
		{"a server as a server", server, "127.0.0.2", x509.ExtKeyUsageServerAuth, true},
		{"a server at another host", server, "127.0.0.1", x509.ExtKeyUsageServerAuth, false},
		{"a server as a client", server, "", x509.ExtKeyUsageClientAuth, false},
		{"a server as the control plane", server, certs.ControlName, x509.ExtKeyUsageServerAuth, false},
	} {
		if got := verify(test.cert, test.host, test.use); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
	for _, host := range []string{"", certs.ControlName} {
		if _, err := a.IssueServer(host, &key.PublicKey); err == nil {
			t.Errorf("a certificate for host %q was signed", host)
		}
	}
}
