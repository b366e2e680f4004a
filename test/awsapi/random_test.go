package awsapi_test

import (
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/gatehouse/gatehouse/internal/awsapi/model"
)

// values that requests are made of: what exists, what nearly does, what is
// extreme. The secret ones are recognisable wherever they turn up.
var values = []string{
	"default", "u1", "u2", "g1", "g2", "r1", "r2", "r1-001", "p1", "s1", "U1", "", " ", "-", "a--b", "1a", "redis", "valkey", "memcached",
	"on ~* +@all", "off", "on >pw", "(", "7.0", "6.x", "5.0.6", "9.9", "cache.t4g.micro", "default.redis7", "redis7", "subnet-1",
	"ROTATE", "SET", "DELETE", "password", "iam", "no-password-required", "required", "preferred", "user", "user-group",
	"UserId", "arn:aws:elasticache:us-east-1:000000000000:user:u1", "arn:aws:elasticache:us-east-1:000000000000:replicationgroup:r1",
	"maxmemory-policy", "yes", strings.Repeat("x", 300), "é\x00\x1f", "\xff\xfe", "%", "]]>&<",
}

// fitting are values that a parameter of that name has a chance with.
var fitting = map[string][]string{
	"UserId": {"u1", "u2", "U3"}, "UserName": {"u1", "u2", "default"}, "UserIds": {"u1", "u2", "default"},
	"UserIdsToAdd": {"u1", "u2"}, "UserIdsToRemove": {"u1", "u2"}, "Engine": {"redis", "valkey"}, "AccessString": {"on ~* +@all", "off -@all"},
	"UserGroupId": {"g1", "g2"}, "UserGroupIds": {"g1", "g2"}, "UserGroupIdsToAdd": {"g1", "g2"}, "UserGroupIdsToRemove": {"g1", "g2"},
	"ReplicationGroupId": {"r1", "r2"}, "CacheNodeType": {"cache.t4g.micro"}, "EngineVersion": {"7.0", "8.0", "7.1"},
	"CacheSubnetGroupName": {"s1", "default"}, "CacheParameterGroupName": {"p1", "default.redis7"}, "CacheParameterGroupFamily": {"redis7", "valkey8"},
	"ResourceName": {"arn:aws:elasticache:us-east-1:000000000000:user:u1", "arn:aws:elasticache:us-east-1:000000000000:usergroup:g1"},
	"Type":         {"password", "iam", "no-password-required"}, "AuthTokenUpdateStrategy": {"ROTATE", "SET", "DELETE"}, "TransitEncryptionMode": {"required"},
	"SubnetIds": {"subnet-1"}, "Key": {"k1", "k2"}, "Value": {"v"}, "TagKeys": {"k1", "k2"}, "ParameterName": {"maxmemory-policy"}, "ParameterValue": {"allkeys-lru"},
}

const recognisable = "Very-Secret-Value-"

// form draws a request of an operation, led by its model.
func form(t *rapid.T, operation string) string {
	parameters := url.Values{"Action": {operation}, "Version": {model.ElastiCache.Version}}
	fill(t, parameters, "", "", model.ElastiCache.Operations[operation].Input, false)
	return parameters.Encode()
}

// fill gives the parameter at path, which is or belongs to member, a value.
func fill(t *rapid.T, to url.Values, path, member, shapeName string, secret bool) {
	shape := model.ElastiCache.Shapes[shapeName]
	switch shape.Type {
	case model.Structure:
		for i := range shape.Members {
			m := &shape.Members[i]
			if m.Required || rapid.IntRange(0, 7).Draw(t, m.Name) == 0 {
				fill(t, to, strings.TrimPrefix(path+"."+m.Wire(), "."), m.Name, m.Shape, m.Secret || secret)
			}
		}
	case model.List:
		for i := range rapid.IntRange(1, 3).Draw(t, "items") {
			fill(t, to, fmt.Sprintf("%s.%s.%d", path, shape.ItemWire(), i+1), member, shape.Item, secret)
		}
	case model.Boolean:
		to.Set(path, strconv.FormatBool(rapid.Bool().Draw(t, path)))
	case model.Integer:
		to.Set(path, strconv.Itoa(rapid.SampledFrom([]int{-1, 0, 1, 2, 20, 60, 100, 6379, 16380, 1 << 30}).Draw(t, path)))
	case model.Timestamp:
		to.Set(path, rapid.SampledFrom([]string{"2026-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z"}).Draw(t, path))
	default:
		value := rapid.SampledFrom(values).Draw(t, path)
		if pool := fitting[member]; pool != nil && rapid.IntRange(0, 9).Draw(t, "fitting") > 0 {
			value = rapid.SampledFrom(pool).Draw(t, path)
		}
		if secret {
			value = recognisable + strconv.Itoa(rapid.IntRange(1, 6).Draw(t, path))
		}
		to.Set(path, value)
	}
}

// Whatever a caller asks in whatever order, the answer is a document with a
// decided status, never an internal failure, and no secret is told.
func TestRandomRequests(t *testing.T) {
	operations := slices.Sorted(maps.Keys(model.ElastiCache.Operations))
	s := start(t)
	counts := map[int]int{}
	rapid.Check(t, func(rt *rapid.T) {
		for range 20 {
			operation := rapid.SampledFrom(operations).Draw(rt, "operation")
			request := form(rt, operation)
			status, answer := s.post(request)
			counts[status]++
			if status >= 500 {
				rt.Fatalf("%s: %d %s\n%s", request, status, answer, s.log)
			}
			if err := wellFormed(answer); err != nil {
				rt.Fatalf("%s: %v in %s", request, err, answer)
			}
			if record := fmt.Sprintf("%+v", s.last()); strings.Contains(answer+record, recognisable) {
				rt.Fatalf("%s tells a secret: %s %s", request, answer, record)
			}
			if rapid.IntRange(0, 2).Draw(rt, "settle") == 0 {
				s.settle()
			}
		}
	})
	if strings.Contains(s.log.String(), recognisable) {
		t.Error("the log has a secret")
	}
	t.Logf("by status: %v", counts)
	if counts[200] < 100 {
		t.Errorf("hardly anything succeeds: %v", counts)
	}
}

func wellFormed(document string) error {
	decoder := xml.NewDecoder(strings.NewReader(document))
	for {
		_, err := decoder.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
