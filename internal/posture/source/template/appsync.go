package template

import (
	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/source/tree"
)

// graphQL reads AWS::AppSync::GraphQLApi.
func (t *Template) graphQL(inv *posture.Inventory, id string, node *tree.Node, at posture.Location) {
	t.declare(inv, posture.KindGraphQLAPI, id, node, at, func(b *builder) {
		b.text(posture.AuthenticationType, "AuthenticationType")
		b.text(posture.APIType, "ApiType")
		b.attrs[posture.AdditionalAuthenticationTypes] = b.modes(b.get("AdditionalAuthenticationProviders"), "AuthenticationType")
		b.attrs[posture.LiveAPIKeys] = t.keysOf(id, b.w)
		b.describeAppSync(id)
	})
}

func (b *builder) describeAppSync(id string) {
	b.name = id
	if name := b.get("Name"); name.shape == scalar {
		b.name = name.text
	}
	b.readTags("Tags")
	if visibility := b.get("Visibility"); visibility.text == "PRIVATE" {
		b.exposure = posture.ExposureVPC
	}
}

// modes reads the named key of every block of a list. A mode that is known to be
// API_KEY is kept even when another one is unknown: it decides.
func (b *builder) modes(providers value, key string) posture.Value {
	switch providers.shape {
	case absent:
		return posture.Absent()
	case list:
	default:
		return posture.Unknown(providers.why(), providers.needs)
	}
	var modes []string
	var unsure *posture.Value
	for _, provider := range providers.items {
		mode := provider
		if provider.shape == object {
			mode = provider.get(key, b.w)
		}
		switch attribute := mode.attribute(); {
		case mode.shape == scalar:
			modes = append(modes, mode.text)
		case attribute.IsAbsent():
		default:
			unsure = &attribute
		}
	}
	for _, mode := range modes {
		if mode == "API_KEY" {
			return posture.List(modes)
		}
	}
	if unsure != nil {
		return *unsure
	}
	return posture.List(modes)
}

// keysOf counts the keys that the template makes for an API.
func (t *Template) keysOf(api string, w *world) posture.Value {
	count := 0
	t.resources.Each(func(_ tree.Key, node *tree.Node) {
		if node.Get("Type").Str() != "AWS::AppSync::ApiKey" {
			return
		}
		if target := t.properties(node).get("ApiId", w); target.shape == reference && target.text == api {
			count++
		}
	})
	return posture.Number(count)
}

// eventAPI reads AWS::AppSync::Api and its channel namespaces.
func (t *Template) eventAPI(inv *posture.Inventory, id string, node *tree.Node, at posture.Location) {
	t.declare(inv, posture.KindEventAPI, id, node, at, func(b *builder) {
		for name, key := range map[posture.Attribute]string{
			posture.AuthProviders:             "AuthProviders",
			posture.ConnectionAuthModes:       "ConnectionAuthModes",
			posture.DefaultPublishAuthModes:   "DefaultPublishAuthModes",
			posture.DefaultSubscribeAuthModes: "DefaultSubscribeAuthModes",
		} {
			b.attrs[name] = b.modes(b.get("EventConfig", key), "AuthType")
		}
		b.attrs[posture.NamespaceAuthModes] = t.namespaces(id, b)
		b.attrs[posture.LiveAPIKeys] = t.keysOf(id, b.w)
		b.describeAppSync(id)
	})
}

func (t *Template) namespaces(api string, b *builder) posture.Value {
	all := value{shape: list}
	t.resources.Each(func(_ tree.Key, node *tree.Node) {
		properties := t.properties(node)
		if node.Get("Type").Str() != "AWS::AppSync::ChannelNamespace" || properties.get("ApiId", b.w).text != api {
			return
		}
		for _, key := range []string{"PublishAuthModes", "SubscribeAuthModes"} {
			switch modes := properties.get(key, b.w); modes.shape {
			case list:
				all.items = append(all.items, modes.items...)
			case absent:
			default:
				all.items = append(all.items, modes)
			}
		}
	})
	return b.modes(all, "AuthType")
}
