package remote

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"time"

	"github.com/gatehouse/gatehouse/internal/identity"
)

const (
	// sealSize is the size of the key of the sealed copy (AES-256).
	sealSize = 32
	// maxCredentials bounds a credential file, in bytes: it has about 3 KiB.
	maxCredentials = 64 << 10
)

// idForm is what a gateway may be called: names end up in lists and file names.
var idForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// ValidID reports whether a gateway may be called id: up to 63 lower-case
// letters, digits and hyphens, neither first nor last a hyphen.
func ValidID(id string) bool { return idForm.MatchString(id) }

// Credentials are what a gateway process needs to be a gateway: who it is, where
// its control plane is, how each proves itself to the other, and the key of the
// copy on its disk.
type Credentials struct {
	ID      string
	Address string // host:port of the control plane's listener for gateways
	Roots   *x509.CertPool
	Pair    tls.Certificate
	seal    [sealSize]byte
	stored  storedCredentials
}

// storedCredentials is the credential file, the one place where these secrets
// are in clear.
type storedCredentials struct {
	ID          string `json:"id"`
	Address     string `json:"address"`
	CA          string `json:"ca"`          // PEM
	Certificate string `json:"certificate"` // PEM
	Key         string `json:"key"`         // PEM
	Seal        []byte `json:"seal"`
}

// NewKey makes the key pair of a new gateway. The control plane gets to see the
// public half only (PKIX).
func NewKey() (key *ecdsa.PrivateKey, public []byte, err error) {
	if key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, nil, fmt.Errorf("remote: making a key: %w", err)
	}
	if public, err = x509.MarshalPKIXPublicKey(&key.PublicKey); err != nil {
		return nil, nil, fmt.Errorf("remote: encoding a key: %w", err)
	}
	return key, public, nil
}

// NewCredentials puts together what the control plane issued for key: the
// authority's certificate (PEM) and the client certificate (DER).
func NewCredentials(id, address string, ca, certificate []byte, key *ecdsa.PrivateKey) (*Credentials, error) {
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("remote: encoding a key: %w", err)
	}
	var seal [sealSize]byte
	_, _ = rand.Read(seal[:]) // crypto/rand.Read never fails since Go 1.24
	return readStored(storedCredentials{
		ID: id, Address: address, CA: string(ca), Seal: seal[:],
		Certificate: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})),
		Key:         string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})),
	})
}

// Write makes a credential file (0600) that does not exist yet.
func (c *Credentials) Write(path string) error {
	text, err := json.MarshalIndent(c.stored, "", "  ")
	if err != nil {
		return fmt.Errorf("remote: encoding the credentials: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("remote: making the credential file: %w", err)
	}
	_, err = file.Write(append(text, '\n'))
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("remote: writing the credential file: %w", err)
	}
	return nil
}

// ReadCredentials reads a credential file. One that others may read is refused.
func ReadCredentials(path string) (*Credentials, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("remote: the credential file: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("remote: the credential file %s can be read by others (mode %v): run chmod 600 on it, and make new credentials if it may have been read", path, info.Mode().Perm())
	}
	if info.Size() > maxCredentials {
		return nil, fmt.Errorf("remote: %s is not a credential file: it has %d bytes", path, info.Size())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("remote: the credential file: %w", err)
	}
	var stored storedCredentials
	if err := json.Unmarshal(text, &stored); err != nil {
		return nil, fmt.Errorf("remote: %s is not a credential file of `gatehouse gateway-credentials`", path)
	}
	c, err := readStored(stored)
	if err != nil {
		return nil, fmt.Errorf("remote: %s: %w", path, err)
	}
	return c, nil
}

func readStored(stored storedCredentials) (*Credentials, error) {
	c := &Credentials{ID: stored.ID, Address: stored.Address, Roots: x509.NewCertPool(), stored: stored}
	if !ValidID(c.ID) {
		return nil, identity.Errorf(identity.InvalidParameterValue, "A gateway cannot be called %q: up to 63 lower-case letters, digits and hyphens.", c.ID)
	}
	if _, _, err := net.SplitHostPort(c.Address); err != nil {
		return nil, identity.Errorf(identity.InvalidParameterValue, "The control plane's address %q is not host:port.", c.Address)
	}
	if !c.Roots.AppendCertsFromPEM([]byte(stored.CA)) {
		return nil, errors.New("there is no certificate of the authority")
	}
	var err error
	if c.Pair, err = tls.X509KeyPair([]byte(stored.Certificate), []byte(stored.Key)); err != nil {
		return nil, errors.New("the certificate and the key do not belong together")
	}
	if copy(c.seal[:], stored.Seal) != sealSize || len(stored.Seal) != sealSize {
		return nil, fmt.Errorf("the seal does not have %d bytes", sealSize)
	}
	return c, nil
}

// Expires is when the client certificate ends.
func (c *Credentials) Expires() time.Time { return c.Pair.Leaf.NotAfter }
