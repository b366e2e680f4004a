package model

import (
	"embed"
	"encoding/json"
	"fmt"
	"regexp"
)

// Service is one service's model, cut down to the operations that are served.
type Service struct {
	// SigningName is the service in the credential scope and in IAM actions.
	SigningName string `json:"signingName"`
	// EventSource is the service's name in CloudTrail.
	EventSource string `json:"eventSource"`
	// Target is the service in X-Amz-Target and in the paths of RPC v2 CBOR; "" for
	// a service that speaks Query alone.
	Target string `json:"target,omitempty"`
	// QueryCompatible says that clients of the other protocols expect the error
	// codes of Query in a header, because the service once spoke nothing else.
	QueryCompatible bool                  `json:"queryCompatible,omitempty"`
	Version         string                `json:"version"`
	Namespace       string                `json:"namespace"`
	Operations      map[string]*Operation `json:"operations"`
	Shapes          map[string]*Shape     `json:"shapes"`
	// Errors is what the served operations may answer with, by code.
	Errors map[string]Error `json:"errors"`
}

// Operation names an operation's shapes; "" where it has none.
type Operation struct {
	Input   string `json:"input,omitempty"`
	Output  string `json:"output,omitempty"`
	Wrapper string `json:"wrapper,omitempty"` // the element around the output
}

// Error is how the service answers with an error code.
type Error struct {
	Status int    `json:"status"`
	Sender bool   `json:"sender,omitempty"` // the caller's fault
	Shape  string `json:"shape,omitempty"`  // its name outside Query, when it is not the code
}

// Type is the kind of a shape.
type Type string

// The types that the codecs know; modelgen refuses a model with any other.
const (
	Structure Type = "structure"
	List      Type = "list"
	Map       Type = "map"
	String    Type = "string"
	Boolean   Type = "boolean"
	Integer   Type = "integer"
	Long      Type = "long"
	Float     Type = "float"
	Double    Type = "double"
	Timestamp Type = "timestamp" // ISO 8601 in both directions
)

// Shape is one type of the model.
type Shape struct {
	Type    Type     `json:"type"`
	Members []Member `json:"members,omitempty"` // of a structure, in wire order
	Item    string   `json:"item,omitempty"`    // the shape of a list's items
	// ItemName is what an item is called on the wire, "member" unless said otherwise.
	ItemName string   `json:"itemName,omitempty"`
	Key      string   `json:"key,omitempty"`   // of a map
	Value    string   `json:"value,omitempty"` // of a map
	Enum     []string `json:"enum,omitempty"`
	Min      *float64 `json:"min,omitempty"` // of a value, or of a length
	Max      *float64 `json:"max,omitempty"`
	Pattern  string   `json:"pattern,omitempty"`

	pattern *regexp.Regexp
}

// Member is a field of a structure.
type Member struct {
	Name     string `json:"name"`
	Shape    string `json:"shape"`
	WireName string `json:"wireName,omitempty"` // when it is not Name
	Required bool   `json:"required,omitempty"`
	Secret   bool   `json:"secret,omitempty"` // never recorded
}

// Wire is the member's name in requests and responses.
func (m *Member) Wire() string {
	if m.WireName != "" {
		return m.WireName
	}
	return m.Name
}

// Item returns what a list's items are called on the wire.
func (s *Shape) ItemWire() string {
	if s.ItemName != "" {
		return s.ItemName
	}
	return DefaultItem
}

// DefaultItem is what items of a list are called that has no name for them.
const DefaultItem = "member"

//go:embed *.json
var files embed.FS

// The models that are embedded.
var (
	CloudTrail  = load("cloudtrail.json")
	CloudWatch  = load("cloudwatch.json")
	ElastiCache = load("elasticache.json")
	IAM         = load("iam.json")
	STS         = load("sts.json")
)

// load reads an embedded model. A model that cannot be read is a fault of the
// build, which the first test shows.
func load(name string) *Service {
	data, err := files.ReadFile(name)
	if err != nil {
		panic(err)
	}
	s, err := Read(data)
	if err != nil {
		panic(fmt.Sprintf("model: %s: %v", name, err))
	}
	return s
}

// Read reads the compact form.
func Read(data []byte) (*Service, error) {
	s := new(Service)
	if err := json.Unmarshal(data, s); err != nil {
		return nil, err
	}
	for name, shape := range s.Shapes {
		if shape.Pattern == "" {
			continue
		}
		re, err := regexp.Compile(`\A(?:` + shape.Pattern + `)\z`)
		if err != nil {
			return nil, fmt.Errorf("pattern of %s: %w", name, err)
		}
		shape.pattern = re
	}
	return s, nil
}
