package posture

import "maps"

// Kind is a resource's CloudFormation type name, whatever the source.
type Kind string

// The kinds that rules judge.
const (
	KindRoute            Kind = "AWS::ApiGatewayV2::Route"
	KindRESTMethod       Kind = "AWS::ApiGateway::Method"
	KindGraphQLAPI       Kind = "AWS::AppSync::GraphQLApi"
	KindEventAPI         Kind = "AWS::AppSync::Api"
	KindDMSEndpoint      Kind = "AWS::DMS::Endpoint"
	KindMSKCluster       Kind = "AWS::MSK::Cluster"
	KindMSKServerless    Kind = "AWS::MSK::ServerlessCluster"
	KindReplicationGroup Kind = "AWS::ElastiCache::ReplicationGroup"
	KindCacheCluster     Kind = "AWS::ElastiCache::CacheCluster"
	KindServerlessCache  Kind = "AWS::ElastiCache::ServerlessCache"
	KindConfigRule       Kind = "AWS::Config::ConfigRule"
)

// Origin is the kind of source that a resource was read from.
type Origin string

// The origins.
const (
	OriginAWS            Origin = "aws"
	OriginGatehouse      Origin = "gatehouse"
	OriginCloudFormation Origin = "cloudformation"
	OriginSAM            Origin = "sam"
	OriginCDK            Origin = "cdk"
	OriginTerraform      Origin = "terraform"
)

// Live reports whether the resource exists, rather than being declared.
func (o Origin) Live() bool { return o == OriginAWS || o == OriginGatehouse }

// Location says where a resource was read: a file and line for templates, the
// address for plans, nothing more than the origin for a live estate.
type Location struct {
	Origin  Origin `json:"type"`
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Stack   string `json:"stack,omitempty"`   // logical ids of the nested stacks above it, joined by "/"
	Address string `json:"address,omitempty"` // Terraform resource address
	Path    string `json:"path,omitempty"`    // CDK construct path
}

// Exposure is who can reach a resource over the network.
type Exposure string

// Exposures, the widest first. An empty Exposure means that the source could
// not tell; it ranks between public and VPC.
const (
	ExposurePublic  Exposure = "public"
	ExposureVPC     Exposure = "vpc"
	ExposurePrivate Exposure = "private"
)

// Attribute names an attribute of a resource. attributes.go lists them.
type Attribute string

// Attributes are a resource's values; one that is missing is unknown.
type Attributes map[Attribute]Value

// Variant is how a resource looks when an undecided condition or parameter of
// its template takes one of its values.
type Variant struct {
	When       string // for example "Environment=prod"
	Gone       bool   // the resource does not exist in this case
	Attributes Attributes
}

// Resource is one thing that a rule judges.
type Resource struct {
	Kind Kind
	// ID is the ARN of a live resource; the logical id or the resource address
	// of a declared one; "API/METHOD /path" for a route that a template implies.
	ID       string
	Name     string // what people call it, for ranking and reports
	Account  string
	Region   string
	Tags     map[string]string
	Fronts   []string // integration targets, data sources, server names
	Exposure Exposure
	Location Location

	Attributes Attributes
	// Otherwise is the value of attributes that are not in Attributes. The zero
	// Value, unknown, is right for almost everyone; a source that reads a whole
	// property block sets Absent().
	Otherwise Value
	// Variants, when there are any, stand in for Attributes: the verdict holds
	// only if it is the same in all of them.
	Variants []Variant
	// Gone is true for a declared resource whose condition is known to be false.
	Gone bool
	// Doubt, when it has a reason, says what may change the resource before it is
	// deployed: no verdict is PASS then.
	Doubt Doubt
	// Notes go into every finding about the resource that needs work.
	Notes []string
	// Usage is measured evidence of unauthenticated use, where a source has any.
	Usage *Usage
}

// Doubt is why what was read may not be what is deployed.
type Doubt struct{ Reason, Needs string }

// Set stores an attribute and returns the resource, for chaining.
func (r *Resource) Set(name Attribute, value Value) *Resource {
	if r.Attributes == nil {
		r.Attributes = Attributes{}
	}
	r.Attributes[name] = value
	return r
}

// With returns a copy of the resource with one attribute changed.
func (r Resource) With(name Attribute, value Value) Resource {
	r.Attributes = maps.Clone(r.Attributes)
	r.Set(name, value)
	return r
}

// Quality is how much a piece of usage evidence proves.
type Quality string

// Qualities: exact tells callers with an identity from callers without one, a
// proxy only suggests it, none means that AWS measures nothing of the kind.
const (
	QualityExact Quality = "exact"
	QualityProxy Quality = "proxy"
	QualityNone  Quality = "none"
)

// Usage says what is or could be known about unauthenticated use.
type Usage struct {
	Quality  Quality `json:"quality"`
	Where    string  `json:"where"`             // the metric, event or log that would show it
	Measured bool    `json:"measured"`          // false: nothing was read, Where is advice
	Count    int64   `json:"count,omitempty"`   // calls seen in Window, when measured
	Window   string  `json:"window,omitempty"`  // for example "48h"
	Caution  string  `json:"caution,omitempty"` // why the number may mislead
}

// Problem is something that a source could not read: a scope that AWS refused,
// a file that does not parse. It becomes an ERROR finding for each control, or
// one for Scope when no control is named; it never becomes an empty list.
type Problem struct {
	Controls []string // ids of the controls that could not be judged
	Scope    string   // what could not be read: "elasticache in eu-west-1", a file name
	Account  string
	Region   string
	Location Location
	Reason   string
	Next     string // what to do about it
}

// Gap is a part of a source that could hold resources and cannot be expanded
// here: a macro, a module from a registry. It becomes an UNKNOWN finding for
// each of its controls.
type Gap struct {
	Controls []string
	Resource string // logical id or address of what hides the resources
	Account  string
	Region   string
	Location Location
	Reason   string
	Needs    string
}

// Scope is one account and region that a live audit looked into.
type Scope struct {
	Account  string `json:"account"`
	Region   string `json:"region"`
	Complete bool   `json:"complete"` // false when a Problem belongs to it
}

// Inventory is what a source found.
type Inventory struct {
	Resources []Resource
	Problems  []Problem
	Gaps      []Gap
	Scopes    []Scope
	Roots     []string // files and folders that the user named
	Files     []string // files that were read as templates or plans
	Skipped   []string // files in a folder that are neither
}

// Add appends another inventory.
func (i *Inventory) Add(other Inventory) {
	i.Resources = append(i.Resources, other.Resources...)
	i.Problems = append(i.Problems, other.Problems...)
	i.Gaps = append(i.Gaps, other.Gaps...)
	i.Scopes = append(i.Scopes, other.Scopes...)
	i.Roots = append(i.Roots, other.Roots...)
	i.Files = append(i.Files, other.Files...)
	i.Skipped = append(i.Skipped, other.Skipped...)
}
