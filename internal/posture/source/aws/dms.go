package aws

import (
	"context"
	"strings"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	dms "github.com/aws/aws-sdk-go-v2/service/databasemigrationservice"
	"github.com/aws/aws-sdk-go-v2/service/databasemigrationservice/types"

	"github.com/gatehouse/gatehouse/internal/posture"
)

// dmsPage is the most that DMS puts on a page.
const dmsPage = 100

func (s *scope) readDMS(ctx context.Context) {
	client := dms.NewFromConfig(s.cfg)
	endpoints, err := listing(func(next *string) ([]types.Endpoint, *string, error) {
		out, err := client.DescribeEndpoints(ctx, &dms.DescribeEndpointsInput{MaxRecords: awssdk.Int32(dmsPage), Marker: next})
		if err != nil {
			return nil, nil, err
		}
		return out.Endpoints, out.Marker, nil
	})
	if err != nil {
		s.failed("dms:DescribeEndpoints", "", err, posture.KindDMSEndpoint)
		return
	}
	running := s.runningTasks(ctx, client, endpoints)
	for _, e := range endpoints {
		r := s.resource(posture.KindDMSEndpoint, awssdk.ToString(e.EndpointArn), awssdk.ToString(e.EndpointIdentifier))
		r.Exposure = posture.ExposureVPC
		server := awssdk.ToString(e.ServerName)
		r.Set(posture.EngineName, posture.TextOrAbsent(e.EngineName)).Set(posture.EndpointType, posture.Text(strings.ToLower(string(e.EndpointType)))).
			Set(posture.MongoDBSettings, posture.Flag(e.MongoDbSettings != nil)).Set(posture.ExtraConnectionAttributes, posture.ExtraAuthType(awssdk.ToString(e.ExtraConnectionAttributes))).
			Set(posture.RunningTasks, running(e))
		kind, mechanism := posture.Absent(), posture.Absent()
		if m := e.MongoDbSettings; m != nil {
			if m.AuthType != "" {
				kind = posture.Text(string(m.AuthType))
			}
			if m.AuthMechanism != "" {
				mechanism = posture.Text(string(m.AuthMechanism))
			}
			if server == "" {
				server = awssdk.ToString(m.ServerName)
			}
		}
		r.Set(posture.AuthType, kind).Set(posture.AuthMechanism, mechanism)
		if server != "" {
			r.Fronts = []string{server}
		}
		s.add(r)
	}
}

// runningTasks lists the tasks once, and only when there is a MongoDB endpoint.
func (s *scope) runningTasks(ctx context.Context, client *dms.Client, endpoints []types.Endpoint) func(types.Endpoint) posture.Value {
	any := false
	for _, e := range endpoints {
		any = any || strings.EqualFold(awssdk.ToString(e.EngineName), "mongodb")
	}
	if !any {
		return func(types.Endpoint) posture.Value { return posture.Absent() }
	}
	tasks, err := listing(func(next *string) ([]types.ReplicationTask, *string, error) {
		out, err := client.DescribeReplicationTasks(ctx, &dms.DescribeReplicationTasksInput{MaxRecords: awssdk.Int32(dmsPage), Marker: next, WithoutSettings: awssdk.Bool(true)})
		if err != nil {
			return nil, nil, err
		}
		return out.ReplicationTasks, out.Marker, nil
	})
	if err != nil {
		s.lost("dms:DescribeReplicationTasks", "", err, "which tasks use an endpoint is not known")
		return func(types.Endpoint) posture.Value {
			return posture.Unknown("dms:DescribeReplicationTasks: "+plain(err), "the tasks that use the endpoint")
		}
	}
	counts := map[string]int{}
	for _, t := range tasks {
		if status := awssdk.ToString(t.Status); status == "running" || status == "starting" {
			counts[awssdk.ToString(t.SourceEndpointArn)]++
			counts[awssdk.ToString(t.TargetEndpointArn)]++
		}
	}
	return func(e types.Endpoint) posture.Value { return posture.Number(counts[awssdk.ToString(e.EndpointArn)]) }
}
