package rpc_test

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/fxamacker/cbor/v2"

	"github.com/gatehouse/gatehouse/internal/awsapi/model"
	"github.com/gatehouse/gatehouse/internal/awsapi/rpc"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func TestDecode(t *testing.T) {
	want := cloudwatch.GetMetricDataInput{
		StartTime: &noon, EndTime: aws.Time(noon.Add(1500 * time.Millisecond)), MaxDatapoints: aws.Int32(7), ScanBy: types.ScanByTimestampAscending,
		MetricDataQueries: []types.MetricDataQuery{{
			Id: aws.String("a"), ReturnData: aws.Bool(false),
			MetricStat: &types.MetricStat{Period: aws.Int32(60), Stat: aws.String("Sum"), Metric: &types.Metric{
				Namespace: aws.String("n"), Dimensions: []types.Dimension{{Name: aws.String("é"), Value: aws.String("")}},
			}},
		}},
	}
	queries := []any{map[string]any{"Id": "a", "ReturnData": false, "Label": nil, "MetricStat": map[string]any{
		"Period": 60, "Stat": "Sum", "Metric": map[string]any{"Namespace": "n", "Dimensions": []any{map[string]any{"Name": "é", "Value": ""}}},
	}}}
	tagged, err := cbor.Marshal(map[string]any{
		"StartTime": cbor.Tag{Number: 1, Content: noon.Unix()}, "EndTime": cbor.Tag{Number: 1, Content: float64(noon.Unix()) + 1.5},
		"MaxDatapoints": 7, "ScanBy": "TimestampAscending", "MetricDataQueries": queries,
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		format rpc.Format
		body   string
	}{
		"JSON": {rpc.JSON10, `{"StartTime":1795262400,"EndTime":1.7952624015E9,"MaxDatapoints":7,"ScanBy":"TimestampAscending","MetricDataQueries":[{"Id":"a","ReturnData":false,"Label":null,
			"MetricStat":{"Period":60,"Stat":"Sum","Metric":{"Namespace":"n","Dimensions":[{"Name":"é","Value":""}]}}}]}`},
		"CBOR": {rpc.CBOR, string(tagged)},
		// The same beginning with an indefinite map, which some SDKs write.
		"CBOR of unknown length": {rpc.CBOR, "\xbf" + string(tagged[1:]) + "\xff"},
	} {
		var got cloudwatch.GetMetricDataInput
		if err := c.format.Decode(model.CloudWatch, "GetMetricData", []byte(c.body), &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v\n%+v", name, err, got)
		}
	}
}

func TestWhatCannotBeRead(t *testing.T) {
	cborOf := func(v any) string {
		text, err := cbor.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for _, c := range []struct {
		format     rpc.Format
		body, want string
	}{
		{rpc.JSON11, `{"Namespace":"a","Namespace":"b"}`, "The member Namespace is given more than once."},
		{rpc.JSON11, `{"NameSpace":"a"}`, "The member NameSpace is not one of this operation's members."},
		{rpc.JSON11, `{"Dimensions":[{"Name":"a","Other":1}]}`, "The member Dimensions.1.Other is not one of this operation's members."},
		{rpc.JSON11, `{"Namespace":1}`, "The member Namespace is not a text."},
		{rpc.JSON11, `{"Dimensions":{}}`, "The member Dimensions is not a list."},
		{rpc.JSON11, `{"Dimensions":[null]}`, "The member Dimensions.1 is not a value."},
		{rpc.JSON11, `{"Dimensions":["a"]}`, "The member Dimensions.1 is not a structure."},
		{rpc.JSON11, `{"IncludeLinkedAccounts":"true"}`, "The member IncludeLinkedAccounts is not true or false."},
		{rpc.JSON11, `[]`, "The request's body is not a structure."},
		{rpc.JSON11, `{"Namespace":"a"`, "The request's body is not valid JSON."},
		{rpc.JSON11, `{} {}`, "The request's body has something after its JSON value."},
		{rpc.JSON11, `{"Namespace":` + strings.Repeat("[", 1000), "The request's body is nested more than 16 deep."},
		{rpc.CBOR, "\xa2\x61a\x01\x61a\x01", "The request's body is not the CBOR that this operation takes."},
		{rpc.CBOR, cborOf(map[int]any{1: 2}), "The request's body is not the CBOR that this operation takes."},
		{rpc.CBOR, strings.Repeat("\x81", 1000), "The request's body is not the CBOR that this operation takes."},
		{rpc.CBOR, "\xa1\x69Namespace\x9b\xff\xff\xff\xff\xff\xff\xff\xff", "The request's body is not the CBOR that this operation takes."},
		{rpc.CBOR, cborOf(map[string]any{"Namespace": []byte("a")}), "The member Namespace is not a text."},
	} {
		err := c.format.Decode(model.CloudWatch, "ListMetrics", []byte(c.body), new(cloudwatch.ListMetricsInput))
		var told *rpc.Error
		if !errors.As(err, &told) || told.Message != c.want {
			t.Errorf("%.60q: %v, want %s", c.body, err, c.want)
		}
	}
	for _, value := range []any{math.NaN(), math.Inf(1), 1e300, "noon", cbor.Tag{Number: 1, Content: math.NaN()}, cbor.Tag{Number: 7, Content: 1}} {
		err := rpc.CBOR.Decode(model.CloudWatch, "GetMetricData", []byte(cborOf(map[string]any{"StartTime": value})), new(cloudwatch.GetMetricDataInput))
		var told *rpc.Error
		if !errors.As(err, &told) {
			t.Errorf("the time %v: %v", value, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"StartTime":1795262400,"MetricDataQueries":[{"Id":"a","MetricStat":{"Period":60}}],"MaxDatapoints":1e2}`))
	seed, err := cbor.Marshal(map[string]any{"StartTime": cbor.Tag{Number: 1, Content: 1.5}, "MetricDataQueries": []any{map[string]any{"Id": "a"}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte("\xbf\x69StartTime\xc1\xfb\x41\xda\x00\x00\x00\x00\x00\x00\xff"))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, format := range []rpc.Format{rpc.JSON11, rpc.CBOR} {
			var in cloudwatch.GetMetricDataInput
			err := format.Decode(model.CloudWatch, "GetMetricData", body, &in)
			var told *rpc.Error
			if err != nil && !errors.As(err, &told) {
				t.Fatalf("not a refusal: %v", err)
			}
			model.CloudWatch.Check("GetMetricData", &in, nil)
		}
	})
}
