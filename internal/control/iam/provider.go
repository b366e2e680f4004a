package iam

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/control/state"
	"github.com/gatehouse/gatehouse/internal/identity"
)

// ProviderARN is the ARN of an OpenID Connect provider.
func (s *Service) ProviderARN(p *identity.OIDCProvider) string {
	return s.arn(Provider, "/", p.URL)
}

// CreateProvider records an issuer of web identities.
func (s *Service) CreateProvider(ctx context.Context, issuer string, clientIDs, thumbprints []string, tags []naming.Tag) (*identity.OIDCProvider, error) {
	u, err := url.Parse(issuer)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, identity.Errorf(identity.InvalidInput, "Invalid Open ID Connect Provider URL: it must begin with https:// and have neither query, fragment nor user.")
	}
	provider := &identity.OIDCProvider{
		URL: strings.TrimSuffix(strings.TrimPrefix(issuer, "https://"), "/"), Created: s.Clock.Now().UTC(),
		ClientIDs: clientIDs, Thumbprints: thumbprints,
	}
	if provider.Tags, err = addTags(nil, tags); err != nil {
		return nil, err
	}
	err = s.update(ctx, func(tx *state.Tx) error {
		if tx.View().IAM.Providers[provider.URL] != nil {
			return identity.Errorf(identity.EntityExists, "Provider with url https://%s already exists.", provider.URL)
		}
		if len(tx.View().IAM.Providers) >= maxProviders {
			return limit("OpenIdConnectProvidersPerAccount: %d", maxProviders)
		}
		tx.Put(provider)
		return checkProvider(provider)
	})
	return provider, err
}

// Provider returns an OpenID Connect provider by its ARN.
func (s *Service) Provider(arn string) (*identity.OIDCProvider, error) {
	return s.providerIn(s.State.View(), arn)
}

func (s *Service) providerIn(view *state.View, arn string) (*identity.OIDCProvider, error) {
	provider := view.IAM.Providers[strings.TrimPrefix(arn, s.arn(Provider, "/", ""))]
	if provider == nil {
		return nil, noSuch("OpenIDConnect Provider not found for arn %s", naming.Shorten(arn))
	}
	return provider, nil
}

// Providers lists the OpenID Connect providers, by URL.
func (s *Service) Providers() []*identity.OIDCProvider {
	return state.Sorted(s.State.View().IAM.Providers)
}

// DeleteProvider deletes a provider; one that is not there is no error, as in IAM.
func (s *Service) DeleteProvider(ctx context.Context, arn string) error {
	return s.update(ctx, func(tx *state.Tx) error {
		if provider, err := s.providerIn(tx.View(), arn); err == nil {
			tx.Delete(provider)
		}
		return nil
	})
}

func (s *Service) changeProvider(ctx context.Context, arn string, f func(*identity.OIDCProvider) error) error {
	return s.update(ctx, func(tx *state.Tx) error {
		provider, err := s.providerIn(tx.View(), arn)
		if err != nil {
			return err
		}
		next := *provider
		next.ClientIDs = slices.Clone(provider.ClientIDs)
		if err := f(&next); err != nil {
			return err
		}
		tx.Put(&next)
		return checkProvider(&next)
	})
}

func checkProvider(p *identity.OIDCProvider) error {
	if len(p.ClientIDs) > maxClientIDs {
		return limit("ClientIdsPerOpenIdConnectProvider: %d", maxClientIDs)
	}
	if len(p.Thumbprints) > maxThumbprints {
		return identity.Errorf(identity.InvalidInput, "Thumbprint list must contain fewer than %d entries.", maxThumbprints+1)
	}
	return nil
}

// AddClientID makes a provider's tokens for an audience acceptable.
func (s *Service) AddClientID(ctx context.Context, arn, id string) error {
	return s.changeProvider(ctx, arn, func(p *identity.OIDCProvider) error {
		if !slices.Contains(p.ClientIDs, id) {
			p.ClientIDs = append(p.ClientIDs, id)
		}
		return nil
	})
}

// RemoveClientID is the opposite of AddClientID.
func (s *Service) RemoveClientID(ctx context.Context, arn, id string) error {
	return s.changeProvider(ctx, arn, func(p *identity.OIDCProvider) error {
		p.ClientIDs = slices.DeleteFunc(p.ClientIDs, func(have string) bool { return have == id })
		return nil
	})
}

// SetThumbprints replaces a provider's thumbprints.
func (s *Service) SetThumbprints(ctx context.Context, arn string, thumbprints []string) error {
	return s.changeProvider(ctx, arn, func(p *identity.OIDCProvider) error {
		p.Thumbprints = thumbprints
		return nil
	})
}

// TagProvider puts tags on a provider.
func (s *Service) TagProvider(ctx context.Context, arn string, tags []naming.Tag) error {
	return s.changeProvider(ctx, arn, func(p *identity.OIDCProvider) (err error) {
		p.Tags, err = addTags(p.Tags, tags)
		return err
	})
}

// UntagProvider takes tags off a provider.
func (s *Service) UntagProvider(ctx context.Context, arn string, keys []string) error {
	return s.changeProvider(ctx, arn, func(p *identity.OIDCProvider) error {
		p.Tags = removeTags(p.Tags, keys)
		return nil
	})
}
