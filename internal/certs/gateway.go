package certs

import (
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net"
)

// ControlName is the name that the control plane's certificate for gateways is
// made out to, wherever it listens. No certificate of a gateway bears it, so a
// gateway cannot pass for the control plane.
const ControlName = "control.gatehouse.internal"

// IssueControl signs the certificate of the control plane's listener for gateways.
func (a *Authority) IssueControl() (*tls.Certificate, error) { return a.Issue([]string{ControlName}) }

// IssueClient signs a client certificate for the holder of key under a name. It
// lasts as long as the authority: its holder is told apart by fingerprint and
// loses its right by name, and a gateway must not fall silent on a birthday.
func (a *Authority) IssueClient(name string, key crypto.PublicKey) (*x509.Certificate, error) {
	template := template(a.clock.Now(), a.cert.NotAfter.Sub(a.clock.Now()))
	template.Subject = pkix.Name{CommonName: name}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return a.sign(template, key)
}

// IssueServer signs a server certificate for one host and the holder of key.
func (a *Authority) IssueServer(host string, key crypto.PublicKey) (*x509.Certificate, error) {
	if host == "" || host == ControlName {
		return nil, errors.New("certs: a gateway needs a host of its own")
	}
	template := template(a.clock.Now(), serverLife)
	template.Subject = pkix.Name{CommonName: host}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	return a.sign(template, key)
}

func (a *Authority) sign(template *x509.Certificate, key crypto.PublicKey) (*x509.Certificate, error) {
	template.KeyUsage = x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key, a.key)
	if err != nil {
		return nil, fmt.Errorf("certs: signing a certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("certs: reading the new certificate: %w", err)
	}
	return cert, nil
}
