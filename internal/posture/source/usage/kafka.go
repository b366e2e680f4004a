package usage

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/kafka"

	"github.com/gatehouse/gatehouse/internal/posture"
)

// proofStep is how close to the window's beginning a log's first line must be to
// prove that the log was already on: flow logs write at least every ten minutes.
const proofStep = 15 * time.Minute

// flowMeter counts accepted connections to the listeners that ask nobody, from
// VPC flow logs in CloudWatch Logs (default format).
type flowMeter struct {
	cfg                   awssdk.Config
	cluster, group, ports string
}

// The fields of a flow log record in AWS's default format.
const (
	flowENI        = 2
	flowTargetPort = 6
	flowAction     = 12
	flowStatus     = 13
	flowFields     = 14
)

func (m flowMeter) Read(ctx context.Context, from, to time.Time) (Reading, error) {
	r := Reading{Quality: posture.QualityExact, Source: "VPC flow logs in " + m.group + ", connections to ports " + m.ports}
	enis, err := m.brokers(ctx)
	if err != nil {
		return r, err
	}
	ports := strings.Split(m.ports, ",")
	var first time.Time
	skipped := false
	for _, eni := range enis {
		in := &cloudwatchlogs.FilterLogEventsInput{LogGroupName: awssdk.String(m.group), FilterPattern: awssdk.String(`"` + eni + `"`)}
		var earliest time.Time
		err := filter(ctx, m.cfg, in, from.Add(-proofStep), to, func(e logtypes.FilteredLogEvent) {
			at := time.UnixMilli(awssdk.ToInt64(e.Timestamp))
			if earliest.IsZero() || at.Before(earliest) {
				earliest = at
			}
			f := strings.Fields(awssdk.ToString(e.Message))
			if len(f) < flowFields || f[flowENI] != eni {
				return
			}
			skipped = skipped || f[flowStatus] == "SKIPDATA"
			if f[flowAction] == "ACCEPT" && slices.Contains(ports, f[flowTargetPort]) && !at.Before(from) {
				r.seen(e)
			}
		})
		if err != nil {
			return r, err
		}
		if earliest.IsZero() {
			r.Caution = "the flow log has no line of broker interface " + eni + " at all: it may be off"
			return r, nil
		}
		if earliest.After(first) {
			first = earliest
		}
	}
	switch {
	case skipped:
		r.Caution = "the flow log skipped records in the window (SKIPDATA)"
	case !first.After(from.Add(proofStep)):
		r.OnSince = from
	default:
		r.OnSince = first
	}
	return r, nil
}

// brokers returns the network interfaces that clients connect to.
func (m flowMeter) brokers(ctx context.Context) ([]string, error) {
	var enis []string
	pages := kafka.NewListNodesPaginator(kafka.NewFromConfig(m.cfg), &kafka.ListNodesInput{ClusterArn: awssdk.String(m.cluster)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing the cluster's brokers: %w", err)
		}
		for _, node := range page.NodeInfoList {
			if node.BrokerNodeInfo != nil && awssdk.ToString(node.BrokerNodeInfo.AttachedENIId) != "" {
				enis = append(enis, *node.BrokerNodeInfo.AttachedENIId)
			}
		}
	}
	if len(enis) == 0 {
		return nil, fmt.Errorf("the cluster names no broker interface, so that flow logs cannot be attributed to it")
	}
	return enis, nil
}

// brokerMeter counts what the principal User:ANONYMOUS did, from the brokers'
// authorizer log. Kafka logs what it allows only when asked to, so that the log
// proves itself by lines about other principals.
type brokerMeter struct {
	cfg   awssdk.Config
	group string
}

func (m brokerMeter) Read(ctx context.Context, from, to time.Time) (Reading, error) {
	r := Reading{Quality: posture.QualityExact, Source: "broker log " + m.group + ", Principal = User:ANONYMOUS"}
	var first time.Time
	in := &cloudwatchlogs.FilterLogEventsInput{LogGroupName: awssdk.String(m.group), FilterPattern: awssdk.String(`"Principal = User:" "Allowed"`)}
	err := filter(ctx, m.cfg, in, from.Add(-proofStep), to, func(e logtypes.FilteredLogEvent) {
		at := time.UnixMilli(awssdk.ToInt64(e.Timestamp))
		if first.IsZero() || at.Before(first) {
			first = at
		}
		if strings.Contains(awssdk.ToString(e.Message), "User:ANONYMOUS") && !at.Before(from) {
			r.seen(e)
		}
	})
	if err != nil {
		return r, err
	}
	switch {
	case first.IsZero():
		r.Caution = "the authorizer log shows no allowed operation of anybody: its level hides them, so that silence proves nothing"
	case !first.After(from.Add(proofStep)):
		r.OnSince = from
	default:
		r.OnSince = first
	}
	return r, nil
}
