package files_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/internal/posture"
	"github.com/gatehouse/gatehouse/internal/posture/source/files"
)

// The goals: 10 MB of template within a second, 50 MB of plan within three, and
// memory below ten times the input.
const (
	templateBytes = 10 << 20
	planBytes     = 50 << 20
)

// bigYAML is a template of the given size in the mix that templates have: of
// every eight resources one is a route, one a data service, six are others.
func bigYAML(size int) string {
	var b strings.Builder
	b.WriteString("AWSTemplateFormatVersion: '2010-09-09'\nResources:\n  Api:\n    Type: AWS::ApiGatewayV2::Api\n    Properties: {Name: a, ProtocolType: HTTP}\n")
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, `  Route%[1]d:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Api
      RouteKey: GET /orders/%[1]d
      AuthorizationType: AWS_IAM
      Target: !Sub integrations/${Integration%[1]d}
  Cache%[1]d:
    Type: AWS::ElastiCache::ReplicationGroup
    Properties:
      ReplicationGroupDescription: cache number %[1]d
      Engine: valkey
      EngineVersion: '8.0'
      TransitEncryptionEnabled: true
      AuthToken: '{{resolve:secretsmanager:cache-%[1]d}}'
`, i)
		for k := range 6 {
			fmt.Fprintf(&b, `  Function%[1]dx%[2]d:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: orders-%[1]d-%[2]d
      Runtime: python3.13
      Handler: orders.handler
      MemorySize: 512
      Timeout: 30
      Role: !Sub arn:aws:iam::${AWS::AccountId}:role/orders-%[1]d
      Environment:
        Variables:
          TABLE: !Ref Table%[1]d
          STAGE: production
      Tags:
        - Key: team
          Value: orders
        - Key: cost-centre
          Value: "4711"
`, i, k)
		}
	}
	return b.String()
}

// bigPlan is a plan of the given size: one resource in eight is a route.
func bigPlan(size int) string {
	var b strings.Builder
	b.WriteString(`{"format_version":"1.2","terraform_version":"1.9.0","resource_changes":[`)
	for i := 0; b.Len() < size; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"address":"aws_apigatewayv2_route.r[%[1]d]","mode":"managed","type":"aws_apigatewayv2_route","name":"r","index":%[1]d,"provider_name":"registry.terraform.io/hashicorp/aws","change":{"actions":["create"],"before":null,"after":{"route_key":"GET /orders/%[1]d","authorization_type":"AWS_IAM","api_key_required":false,"operation_name":null},"after_unknown":{"api_id":true,"id":true,"target":true},"before_sensitive":false,"after_sensitive":{}}}`, i)
		for k := range 7 {
			fmt.Fprintf(&b, `,{"address":"aws_iam_role.role[\"%[1]d-%[2]d\"]","mode":"managed","type":"aws_iam_role","name":"role","index":"%[1]d-%[2]d","provider_name":"registry.terraform.io/hashicorp/aws","change":{"actions":["create"],"before":null,"after":{"assume_role_policy":"{\"Statement\":[{\"Action\":\"sts:AssumeRole\",\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"lambda.amazonaws.com\"}}],\"Version\":\"2012-10-17\"}","description":null,"force_detach_policies":false,"max_session_duration":3600,"name":"orders-%[1]d-%[2]d","path":"/","permissions_boundary":null,"tags":{"team":"orders"},"tags_all":{"team":"orders"}},"after_unknown":{"arn":true,"create_date":true,"id":true,"unique_id":true},"before_sensitive":false,"after_sensitive":{"tags":{}}}}`, i, k)
		}
	}
	b.WriteString(`]}`)
	return b.String()
}

func BenchmarkTemplateYAML10MB(b *testing.B) { measure(b, "big.yaml", bigYAML(templateBytes)) }
func BenchmarkPlan50MB(b *testing.B)         { measure(b, "plan.json", bigPlan(planBytes)) }

func BenchmarkTemplateJSON10MB(b *testing.B) {
	var t strings.Builder
	t.WriteString(`{"AWSTemplateFormatVersion":"2010-09-09","Resources":{"Api":{"Type":"AWS::ApiGatewayV2::Api","Properties":{"ProtocolType":"HTTP"}}`)
	for i := 0; t.Len() < templateBytes; i++ {
		fmt.Fprintf(&t, ",\n  \"Route%[1]d\": {\n    \"Type\": \"AWS::ApiGatewayV2::Route\",\n    \"Properties\": {\n      \"ApiId\": {\"Ref\": \"Api\"},\n      \"RouteKey\": \"GET /orders/%[1]d\",\n      \"AuthorizationType\": \"AWS_IAM\"\n    }\n  }", i)
		for k := range 7 {
			fmt.Fprintf(&t, ",\n  \"Function%[1]dx%[2]d\": {\n    \"Type\": \"AWS::Lambda::Function\",\n    \"Properties\": {\n      \"FunctionName\": \"orders-%[1]d\",\n      \"Runtime\": \"python3.13\",\n      \"Handler\": \"orders.handler\",\n      \"Environment\": {\"Variables\": {\"TABLE\": {\"Ref\": \"Table%[1]d\"}, \"STAGE\": \"production\"}},\n      \"Tags\": [{\"Key\": \"team\", \"Value\": \"orders\"}]\n    }\n  }", i, k)
		}
	}
	t.WriteString("}}")
	measure(b, "big.json", t.String())
}

// measure reads and judges one file, and reports the highest heap beside the
// time, as a multiple of the input.
func measure(b *testing.B, name, text string) {
	path := filepath.Join(b.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	size := len(text)
	text = ""
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	peak, stop := watchHeap()
	b.SetBytes(int64(size))
	for b.Loop() {
		findings, err := posture.Evaluate(files.Read([]string{path}, files.Options{}), posture.Options{})
		if err != nil || len(findings) < 1000 {
			b.Fatalf("%d findings, %v", len(findings), err)
		}
	}
	stop()
	b.ReportMetric(float64(peak.Load()-before.HeapInuse)/float64(size), "peak-heap/input")
}

// watchHeap samples the heap until stopped.
func watchHeap() (peak *atomic.Uint64, stop func()) {
	peak = &atomic.Uint64{}
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		ticker := time.NewTicker(2 * time.Millisecond)
		defer ticker.Stop()
		for {
			var now runtime.MemStats
			runtime.ReadMemStats(&now)
			peak.Store(max(peak.Load(), now.HeapInuse))
			select {
			case <-ticker.C:
			case <-done:
				return
			}
		}
	}()
	return peak, func() { close(done); <-stopped }
}
