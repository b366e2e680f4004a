// Package certs provides the certificates that Gatehouse's listeners show:
// issued by a certificate authority of its own, or the operator's from files,
// replaced while connections go on.
//
// It owns making, keeping, renewing and reloading key pairs. It leaves TLS
// settings to those who listen, and trust to clients: the authority's
// certificate is the file that GATEHOUSE_CA names.
package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/gatehouse/gatehouse/internal/clock"
)

const (
	authorityLife = 10 * 365 * 24 * time.Hour
	// serverLife is within what clients accept of a server certificate (398 days).
	serverLife = 397 * 24 * time.Hour
	// backdate allows for clients whose clock is behind.
	backdate = time.Hour

	caFile    = "ca.pem"
	caKeyFile = "ca-key.pem"
)

// Authority signs server certificates. Its key is a file beside the data;
// SECURITY.md says what follows from that.
type Authority struct {
	cert  *x509.Certificate
	key   *ecdsa.PrivateKey
	file  string
	clock clock.Clock
}

// OpenAuthority reads the authority kept in dir, or makes one.
func OpenAuthority(dir string, c clock.Clock) (*Authority, error) {
	a := &Authority{file: filepath.Join(dir, caFile), clock: c}
	pair, err := tls.LoadX509KeyPair(a.file, filepath.Join(dir, caKeyFile))
	if errors.Is(err, fs.ErrNotExist) {
		if err := create(dir, c); err != nil {
			return nil, err
		}
		pair, err = tls.LoadX509KeyPair(a.file, filepath.Join(dir, caKeyFile))
	}
	if err != nil {
		return nil, fmt.Errorf("certs: reading the authority in %s: %w", dir, err)
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("certs: %s does not hold an ECDSA key", filepath.Join(dir, caKeyFile))
	}
	a.cert, a.key = pair.Leaf, key
	return a, nil
}

func create(dir string, c clock.Clock) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("certs: making the authority's key: %w", err)
	}
	template := template(c.Now(), authorityLife)
	template.Subject = pkix.Name{CommonName: "Gatehouse local authority"}
	template.IsCA, template.BasicConstraintsValid = true, true
	template.MaxPathLenZero = true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return fmt.Errorf("certs: making the authority: %w", err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("certs: encoding the authority's key: %w", err)
	}
	// The key first: an authority without its key would be found and not work.
	if err := write(filepath.Join(dir, caKeyFile), "PRIVATE KEY", secret, 0o600); err != nil {
		return err
	}
	return write(filepath.Join(dir, caFile), "CERTIFICATE", der, 0o644)
}

func write(path, kind string, der []byte, mode fs.FileMode) error {
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode); err != nil {
		return fmt.Errorf("certs: %w", err)
	}
	return nil
}

func template(now time.Time, life time.Duration) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)) // crypto/rand does not fail
	return &x509.Certificate{
		SerialNumber: serial,
		NotBefore:    now.Add(-backdate),
		NotAfter:     now.Add(life),
	}
}

// File is the path of the certificate that clients verify against.
func (a *Authority) File() string { return a.file }

// Pool holds the authority's certificate.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// Issue signs a new server certificate for hosts (names or addresses).
func (a *Authority) Issue(hosts []string) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("certs: making a server key: %w", err)
	}
	template := template(a.clock.Now(), serverLife)
	template.Subject = pkix.Name{CommonName: hosts[0]}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return nil, fmt.Errorf("certs: signing a server certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("certs: reading the new certificate: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}
