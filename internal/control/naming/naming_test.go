package naming

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/gatehouse/gatehouse/internal/identity"
)

func refused(t *testing.T, err error, kind identity.Kind, message string) {
	t.Helper()
	if identity.KindOf(err) != kind || err.Error() != message {
		t.Errorf("got %q: %v\nwant %q: %s", identity.KindOf(err), err, kind, message)
	}
}

func TestID(t *testing.T) {
	for text, want := range map[string]string{"a": "a", "Alice-1": "alice-1", strings.Repeat("A", 40): strings.Repeat("a", 40)} {
		if got, err := ID("UserId", text, MaxID); err != nil || got != want {
			t.Errorf("%q gives %q, %v", text, got, err)
		}
	}
	shape := "The parameter UserId is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens."
	for _, text := range []string{"1a", "-a", "a-", "a--b", "a_b", "a.b", "a b", "ä", "a\n", "a\x00"} {
		_, err := ID("UserId", text, MaxID)
		refused(t, err, identity.InvalidParameterValue, shape)
	}
	for _, text := range []string{"", "  "} {
		_, err := ID("UserId", text, MaxID)
		refused(t, err, identity.MissingParameter, "The parameter UserId must be provided and must not be blank.")
	}
	_, err := ID("UserId", strings.Repeat("a", 41), MaxID)
	refused(t, err, identity.InvalidParameterValue, "The parameter UserId is not a valid identifier because it is longer than 40 characters.")
}

func TestARNsAreReadAsTheyAreBuilt(t *testing.T) {
	for region, partition := range map[string]string{"us-east-1": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov"} {
		account := Account{ID: "123456789012", Region: region}
		for _, kind := range []Kind{User, UserGroup, ReplicationGroup, Cluster, SubnetGroup, ParameterGroup} {
			arn := account.ARN(kind, "default.redis7")
			if want := fmt.Sprintf("arn:%s:elasticache:%s:123456789012:%s:default.redis7", partition, region, kind); arn != want {
				t.Errorf("%s, want %s", arn, want)
			}
			if got, err := account.Parse(arn); err != nil || got != (Resource{kind, "default.redis7"}) {
				t.Errorf("%s is read as %+v, %v", arn, got, err)
			}
		}
	}
	account := Account{ID: "000000000000", Region: "us-east-1"}
	got, err := account.Parse("arn:aws:elasticache:us-east-1:000000000000:user:Alice")
	if err != nil || got != (Resource{User, "alice"}) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestOtherARNsAreRefused(t *testing.T) {
	account := Account{ID: "000000000000", Region: "us-east-1"}
	for _, arn := range []string{
		"", "alice", "arn:aws:elasticache:us-east-1:000000000000:user", "arn:aws:elasticache:us-east-1:000000000000:user:",
		"arn:aws:elasticache:us-east-1:000000000000:snapshot:x", "arn:aws:elasticache:us-east-1:000000000000:user:a:b",
		"arn:aws:elasticache:us-east-1:000000000000:user/alice", "arn:aws:elasticache:us-east-1:000000000000:user:a*",
		"arn:aws:elasticache:eu-west-1:000000000000:user:alice", "arn:aws:elasticache:us-east-1:000000000001:user:alice",
		"arn:aws-cn:elasticache:us-east-1:000000000000:user:alice", "arn:aws:iam::000000000000:user/alice",
	} {
		_, err := account.Parse(arn)
		refused(t, err, identity.InvalidARN, "ARN "+arn+" is invalid.")
	}
	if _, err := account.Parse(strings.Repeat("x", 1<<20)); len(err.Error()) > 300 {
		t.Errorf("the error has %d bytes", len(err.Error()))
	}
	if _, err := account.Parse("arn:aws:elasticache:us-east-1:000000000000:user:" + strings.Repeat("x", 256)); err == nil {
		t.Error("an identifier of 256 characters was accepted")
	}
}

func FuzzParse(f *testing.F) {
	account := Account{ID: "000000000000", Region: "us-east-1"}
	f.Add("arn:aws:elasticache:us-east-1:000000000000:user:alice")
	f.Add("arn:aws:elasticache:us-east-1:000000000000:parametergroup:Default.Redis7")
	f.Add("arn:aws:elasticache:us-east-1:000000000000::")
	f.Add("arn:::::\xff")
	f.Fuzz(func(t *testing.T, arn string) {
		resource, err := account.Parse(arn)
		if err != nil {
			if identity.KindOf(err) != identity.InvalidARN {
				t.Fatal(err)
			}
			return
		}
		if again, err := account.Parse(account.ARN(resource.Kind, resource.ID)); err != nil || again != resource {
			t.Errorf("%q is read as %+v and then as %+v (%v)", arn, resource, again, err)
		}
	})
}

func TestAddTags(t *testing.T) {
	have := map[string]string{"team": "cache"}
	got, err := AddTags(have, []Tag{{"team", "db"}, {"Zeit raum", "ä + - = . _ : / @ 1"}, {"empty", ""}})
	want := map[string]string{"team": "db", "Zeit raum": "ä + - = . _ : / @ 1", "empty": ""}
	if err != nil || !maps.Equal(got, want) || have["team"] != "cache" {
		t.Errorf("%v, %v; before: %v", got, err, have)
	}
	full := map[string]string{}
	for i := range MaxTags {
		full[fmt.Sprint(i)] = ""
	}
	if _, err := AddTags(full, []Tag{{"0", "new value"}}); err != nil {
		t.Errorf("a tag of a full resource cannot be changed: %v", err)
	}
	tests := map[string]struct {
		have    map[string]string
		add     []Tag
		kind    identity.Kind
		message string
	}{
		"empty key":      {nil, []Tag{{"", "x"}}, identity.InvalidParameterValue, "Tag keys must not be empty."},
		"long key":       {nil, []Tag{{strings.Repeat("ä", 129), ""}}, identity.InvalidParameterValue, "Tag keys must not be longer than 128 characters."},
		"long value":     {nil, []Tag{{"k", strings.Repeat("ä", 257)}}, identity.InvalidParameterValue, "Tag values must not be longer than 256 characters."},
		"bad key":        {nil, []Tag{{"a?b", ""}}, identity.InvalidParameterValue, "Tag keys and values may contain only letters, digits, spaces and the characters +-=._:/@."},
		"bad value":      {nil, []Tag{{"k", "a\nb"}}, identity.InvalidParameterValue, "Tag keys and values may contain only letters, digits, spaces and the characters +-=._:/@."},
		"not UTF-8":      {nil, []Tag{{"k", "\xff"}}, identity.InvalidParameterValue, "Tag keys and values may contain only letters, digits, spaces and the characters +-=._:/@."},
		"reserved":       {nil, []Tag{{"AWS:x", ""}}, identity.InvalidParameterValue, "Tag keys must not begin with aws:, which is reserved."},
		"twice":          {nil, []Tag{{"k", "1"}, {"k", "2"}}, identity.InvalidParameterValue, "The tag key k is given more than once."},
		"one too many":   {full, []Tag{{"k", ""}}, identity.TagQuota, "The request would give the resource 51 tags. The maximum number of tags permitted on a resource is 50."},
		"last one wrong": {nil, []Tag{{"good", ""}, {"aws:", ""}}, identity.InvalidParameterValue, "Tag keys must not begin with aws:, which is reserved."},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := AddTags(test.have, test.add)
			refused(t, err, test.kind, test.message)
			if got != nil {
				t.Errorf("refused, and returned %v", got)
			}
		})
	}
}

func TestRemoveTags(t *testing.T) {
	have := map[string]string{"a": "1", "b": "2"}
	got, err := RemoveTags(have, []string{"a"})
	if err != nil || !maps.Equal(got, map[string]string{"b": "2"}) || len(have) != 2 {
		t.Errorf("%v, %v; before: %v", got, err, have)
	}
	_, err = RemoveTags(have, []string{"a", "c"})
	refused(t, err, identity.TagNotFound, "The tag c was not found on this resource.")
	_, err = RemoveTags(nil, []string{"c"})
	refused(t, err, identity.TagNotFound, "The tag c was not found on this resource.")
}
