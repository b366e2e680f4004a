package iamtoken

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/gatehouse/gatehouse/internal/policy"
)

// wireGrant is a grant on its way from the control plane to a gateway.
type wireGrant struct {
	AccessKeyID string           `json:"accessKeyId"`
	Principal   policy.Principal `json:"principal"`
	Identity    []wirePolicy     `json:"identity,omitempty"`
	Boundary    *wirePolicy      `json:"boundary,omitempty"`
	Session     []wirePolicy     `json:"session,omitempty"`
	Digest      []byte           `json:"digest,omitempty"` // of the session token
	Expires     time.Time        `json:"expires,omitzero"`
	Keys        []wireKey        `json:"keys"`
}

type wirePolicy struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

type wireKey struct {
	Day    Day    `json:"day"`
	Region string `json:"region"`
	Key    []byte `json:"key"`
}

// Encode writes a grant for a gateway. What it writes contains signing keys in
// clear, so it is for an encrypted and authenticated link, or a sealed file. A
// policy of the resource is left out: caches have none.
func (g *Grant) Encode() ([]byte, error) {
	w := wireGrant{
		AccessKeyID: g.AccessKeyID, Principal: g.Principal, Expires: g.Expires,
		Identity: toWire(g.Policies.Identity), Session: toWire(g.Policies.Session),
	}
	if g.Policies.Boundary != nil {
		w.Boundary = &toWire([]policy.Named{*g.Policies.Boundary})[0]
	}
	if g.Session != (SessionDigest{}) {
		w.Digest = g.Session[:]
	}
	for i := range g.Keys {
		key := g.Keys[i].Reveal()
		w.Keys = append(w.Keys, wireKey{g.Keys[i].Day, g.Keys[i].Region, key[:]})
	}
	text, err := json.Marshal(w)
	if err != nil {
		return nil, fmt.Errorf("encoding the grant of access key %s: %w", g.AccessKeyID, err)
	}
	return text, nil
}

func toWire(policies []policy.Named) []wirePolicy {
	var wire []wirePolicy
	for _, p := range policies {
		wire = append(wire, wirePolicy{p.Name, p.Document.Text})
	}
	return wire
}

// DecodeGrant reads what Encode wrote.
func DecodeGrant(text []byte) (*Grant, error) {
	var w wireGrant
	if err := json.Unmarshal(text, &w); err != nil {
		return nil, fmt.Errorf("reading a grant: %w", err)
	}
	g := &Grant{AccessKeyID: w.AccessKeyID, Principal: w.Principal, Expires: w.Expires}
	if err := w.decodePolicies(&g.Policies); err != nil {
		return nil, fmt.Errorf("reading the grant of access key %s: %w", w.AccessKeyID, err)
	}
	if n := len(w.Digest); n != 0 && n != len(g.Session) {
		return nil, fmt.Errorf("reading the grant of access key %s: the session's digest has %d bytes", w.AccessKeyID, n)
	}
	copy(g.Session[:], w.Digest)
	for _, k := range w.Keys {
		if len(k.Key) != len(decoy.Reveal()) {
			return nil, fmt.Errorf("reading the grant of access key %s: the key of %d has %d bytes", w.AccessKeyID, k.Day, len(k.Key))
		}
		g.Keys = append(g.Keys, newSigningKey(k.Day, k.Region, k.Key))
	}
	return g, nil
}

func (w *wireGrant) decodePolicies(p *policy.Policies) (err error) {
	if p.Identity, err = fromWire(policy.Identity, w.Identity); err != nil {
		return err
	}
	if p.Session, err = fromWire(policy.Session, w.Session); err != nil {
		return err
	}
	if w.Boundary == nil {
		return nil
	}
	boundary, err := fromWire(policy.Boundary, []wirePolicy{*w.Boundary})
	if err != nil {
		return err
	}
	p.Boundary = &boundary[0]
	return nil
}

func fromWire(kind policy.Kind, wire []wirePolicy) ([]policy.Named, error) {
	var policies []policy.Named
	for _, p := range wire {
		document, err := policy.Parse(kind, p.Text)
		if err != nil {
			return nil, fmt.Errorf("policy %q: %w", p.Name, err)
		}
		policies = append(policies, policy.Named{Name: p.Name, Document: document})
	}
	return policies, nil
}
