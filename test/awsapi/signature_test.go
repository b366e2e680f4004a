package awsapi_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/smithy-go"
)

// shifted signs as if the time were another.
type shifted struct {
	by time.Duration
}

func (s shifted) SignHTTP(ctx context.Context, c aws.Credentials, r *http.Request, hash, service, region string, at time.Time, f ...func(*v4.SignerOptions)) error {
	return v4.NewSigner().SignHTTP(ctx, c, r, hash, service, region, at.Add(s.by), f...)
}

// Each attack on a signature gets AWS's own error, as the SDK reads it.
func TestAttacksOnSignatures(t *testing.T) {
	s := start(t)
	const mismatch = "The request signature we calculated does not match the signature you provided."
	cases := map[string]struct {
		config  func(*aws.Config)
		options func(*elasticache.Options)
		onWire  func(*http.Request)
		status  int
		code    string
		message string // its beginning
	}{
		"no signature": {
			config: func(c *aws.Config) { c.Credentials = aws.AnonymousCredentials{} },
			status: 403, code: "MissingAuthenticationToken", message: "Request is missing Authentication Token",
		},
		"made-up key": {
			config: func(c *aws.Config) { c.Credentials = static("AKIAMADEUP", secretKey) },
			status: 403, code: "InvalidClientTokenId", message: "The security token included in the request is invalid.",
		},
		"wrong secret": {
			config: func(c *aws.Config) { c.Credentials = static(keyID, "not the secret") },
			status: 403, code: "SignatureDoesNotMatch", message: mismatch,
		},
		"session token with root's key": {
			config: func(c *aws.Config) {
				c.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
					return aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secretKey, SessionToken: "made up"}, nil
				})
			},
			status: 403, code: "InvalidClientTokenId", message: "The security token included in the request is invalid.",
		},
		"stale": {
			options: func(o *elasticache.Options) { o.HTTPSignerV4 = shifted{-6 * time.Minute} },
			status:  403, code: "SignatureDoesNotMatch", message: "Signature expired: ",
		},
		"from the future": {
			options: func(o *elasticache.Options) { o.HTTPSignerV4 = shifted{6 * time.Minute} },
			status:  403, code: "SignatureDoesNotMatch", message: "Signature not yet current: ",
		},
		"another region": {
			config: func(c *aws.Config) { c.Region = "eu-west-1" },
			status: 403, code: "SignatureDoesNotMatch", message: "Credential should be scoped to a valid region, not 'eu-west-1'. ",
		},
		"changed body": {
			onWire: func(r *http.Request) { changeBody(r, "Action=DescribeUsers", "Action=DeleteUserXX") },
			status: 403, code: "SignatureDoesNotMatch", message: mismatch,
		},
		"changed host": {
			onWire: func(r *http.Request) { r.Host = "other.example" },
			status: 403, code: "SignatureDoesNotMatch", message: mismatch,
		},
		"unsigned x-amz header": {
			onWire: func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "t") },
			status: 403, code: "SignatureDoesNotMatch", message: "'X-Amz-Security-Token' must be a 'SignedHeader' in the AWS Authorization.",
		},
		"second date": {
			onWire: func(r *http.Request) { r.Header.Add("X-Amz-Date", "20260101T000000Z") },
			status: 400, code: "IncompleteSignature", message: "The request has more than one 'X-Amz-Date' header.",
		},
		"half a header": {
			onWire: func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+keyID) },
			status: 400, code: "IncompleteSignature", message: "Authorization header requires 'Signature' parameter.",
		},
		"parameter added in the URL": {
			onWire: func(r *http.Request) { r.URL.RawQuery = "UserId=default" },
			status: 403, code: "SignatureDoesNotMatch", message: mismatch,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			cfg := s.config(func(r *http.Request) {
				if c.onWire != nil {
					c.onWire(r)
				}
			})
			if c.config != nil {
				c.config(&cfg)
			}
			client := elasticache.NewFromConfig(cfg, func(o *elasticache.Options) {
				if c.options != nil {
					c.options(o)
				}
			})
			_, err := client.DescribeUsers(context.Background(), &elasticache.DescribeUsersInput{})
			var refusal smithy.APIError
			var response *awshttp.ResponseError
			if !errors.As(err, &refusal) || !errors.As(err, &response) {
				t.Fatalf("the SDK says %v", err)
			}
			if response.HTTPStatusCode() != c.status || refusal.ErrorCode() != c.code || !strings.HasPrefix(refusal.ErrorMessage(), c.message) {
				t.Errorf("got %d %s %q", response.HTTPStatusCode(), refusal.ErrorCode(), refusal.ErrorMessage())
			}
			call := s.last()
			if call.ErrorCode != c.code || call.Status != c.status || call.Caller.ARN != "" || call.RequestID != response.ServiceRequestID() {
				t.Errorf("on record: %+v", call)
			}
		})
	}
}

func changeBody(r *http.Request, old, with string) {
	body, err := io.ReadAll(r.Body)
	if err != nil || !bytes.Contains(body, []byte(old)) {
		panic("the body has no " + old)
	}
	body = bytes.Replace(body, []byte(old), []byte(with), 1)
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
}

// The same as bytes: an error document with AWS's elements, and the request id
// in the header and in the document.
func TestRefusalsAsRawHTTP(t *testing.T) {
	s := start(t)
	const version = "&Version=2015-02-02"
	cases := map[string]struct {
		form   string
		change func(*http.Request)
		status int
		want   string
	}{
		"double parameter":    {form: "Action=DeleteUser&UserId=a&UserId=b" + version, status: 400, want: "<Code>InvalidQueryParameter</Code><Message>The parameter UserId is given more than once.</Message>"},
		"double action":       {form: "Action=DescribeUsers&Action=DeleteUser" + version, status: 400, want: "<Message>The parameter Action is given more than once.</Message>"},
		"no action":           {form: "Version=2015-02-02", status: 400, want: "<Code>MissingAction</Code>"},
		"unknown action":      {form: "Action=Frobnicate" + version, status: 400, want: "<Code>InvalidAction</Code><Message>Could not find operation Frobnicate for version 2015-02-02</Message>"},
		"operation not here":  {form: "Action=CreateGlobalReplicationGroup" + version, status: 400, want: "<Code>InvalidAction</Code>"},
		"another version":     {form: "Action=DescribeUsers&Version=2014-09-30", status: 400, want: "<Message>Could not find operation DescribeUsers for version 2014-09-30</Message>"},
		"no version":          {form: "Action=DescribeUsers", status: 400, want: "<Message>Could not find operation DescribeUsers for version NO_VERSION_SPECIFIED</Message>"},
		"missing parameter":   {form: "Action=DeleteUser" + version, status: 400, want: "<Code>MissingParameter</Code><Message>The request must contain the parameter UserId.</Message>"},
		"unknown parameter":   {form: "Action=DescribeUsers&User=a" + version, status: 400, want: "<Code>InvalidParameterValue</Code><Message>The parameter User is not one of this operation&#39;s parameters.</Message>"},
		"enumeration":         {form: "Action=ModifyReplicationGroup&ReplicationGroupId=a&AuthTokenUpdateStrategy=DROP" + version, status: 400, want: "<Code>ValidationError</Code><Message>1 validation error detected: Value &#39;DROP&#39; at &#39;authTokenUpdateStrategy&#39; failed to satisfy constraint: Member must satisfy enum value set: [SET, ROTATE, DELETE]</Message>"},
		"page too small":      {form: "Action=DescribeUsers&MaxRecords=19" + version, status: 400, want: "<Code>InvalidParameterValue</Code><Message>Invalid value 19 for MaxRecords. Must be between 20 and 100</Message>"},
		"page too big":        {form: "Action=DescribeUsers&MaxRecords=101" + version, status: 400, want: "Must be between 20 and 100"},
		"another marker":      {form: "Action=DescribeUsers&Marker=bogus" + version, status: 400, want: "<Code>InvalidParameterValue</Code><Message>Invalid value for Marker."},
		"not found":           {form: "Action=DescribeUsers&UserId=nobody" + version, status: 404, want: `<ErrorResponse xmlns="http://elasticache.amazonaws.com/doc/2015-02-02/"><Error><Type>Sender</Type><Code>UserNotFound</Code><Message>User nobody not found.</Message></Error><RequestId>`},
		"path":                {form: "Action=DescribeUsers" + version, change: func(r *http.Request) { r.URL.Path = "/other" }, status: 404, want: "<Code>InvalidAction</Code>"},
		"method":              {form: "Action=DescribeUsers" + version, change: func(r *http.Request) { r.Method = "PUT" }, status: 405, want: "<Code>InvalidAction</Code>"},
		"too large":           {form: strings.Repeat("a", 1<<20+1), status: 413, want: "<Code>RequestEntityTooLarge</Code>"},
		"wrong service scope": {form: "Action=GetCallerIdentity&Version=2011-06-15", status: 403, want: "Credential should be scoped to correct service: &#39;sts&#39;. "},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			status, body := s.post(c.form, func(r *http.Request) {
				if c.change != nil {
					c.change(r)
				}
			})
			if status != c.status || !strings.Contains(body, c.want) {
				t.Errorf("got %d %s", status, body)
			}
			if id := "<RequestId>" + s.last().RequestID + "</RequestId>"; !strings.Contains(body, id) {
				t.Errorf("%s has no %s", body, id)
			}
		})
	}
}

// Over TLS the SDK speaks HTTP/2, where Host and Content-Length travel otherwise.
func TestSignaturesOverHTTP2(t *testing.T) {
	s := start(t)
	protocols := make(chan string, 1)
	listener := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		protocols <- r.Proto
		s.door.ServeHTTP(w, r)
	}))
	listener.EnableHTTP2 = true
	listener.StartTLS()
	t.Cleanup(listener.Close)
	cfg := s.config()
	cfg.BaseEndpoint, cfg.HTTPClient = aws.String(listener.URL), listener.Client()
	_, err := elasticache.NewFromConfig(cfg).DescribeUsers(context.Background(), &elasticache.DescribeUsersInput{})
	must(t, err)
	if protocol := <-protocols; protocol != "HTTP/2.0" {
		t.Errorf("the SDK spoke %s", protocol)
	}
}

func TestOtherWaysToAskAreServed(t *testing.T) {
	s := start(t)
	r, err := http.NewRequest(http.MethodGet, s.url+"/?Action=DescribeUsers&Version=2015-02-02&UserId=default", nil)
	must(t, err)
	s.sign(r, "", "elasticache")
	if status, body := s.send(r); status != 200 || !strings.Contains(body, "<UserId>default</UserId>") {
		t.Errorf("GET: %d %s", status, body)
	}
	r, err = http.NewRequest(http.MethodPost, s.url+"/", strings.NewReader("Action=DescribeUsers&Version=2015-02-02"))
	must(t, err)
	r.Header.Set("Content-Type", "application/json")
	s.sign(r, "Action=DescribeUsers&Version=2015-02-02", "elasticache")
	if status, body := s.send(r); status != 400 || !strings.Contains(body, "application/x-www-form-urlencoded") {
		t.Errorf("a form that says it is JSON: %d %s", status, body)
	}
}
