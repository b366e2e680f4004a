package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
)

// ClientFiles is a client's certificate with its key and the certificate of the
// authority, in PEM, as programs that are not Gatehouse read them from files.
type ClientFiles struct{ Authority, Certificate, Key []byte }

// IssueClientFiles makes a key and signs a client certificate for it under a
// name; see IssueClient.
func (a *Authority) IssueClientFiles(name string) (ClientFiles, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return ClientFiles{}, fmt.Errorf("certs: making a client key: %w", err)
	}
	certificate, err := a.IssueClient(name, key.Public())
	if err != nil {
		return ClientFiles{}, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return ClientFiles{}, fmt.Errorf("certs: encoding a client key: %w", err)
	}
	return ClientFiles{
		Authority:   pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}),
		Certificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw}),
		Key:         pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}),
	}, nil
}
