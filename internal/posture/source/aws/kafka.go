package aws

import (
	"context"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kafka"
	"github.com/aws/aws-sdk-go-v2/service/kafka/types"

	"github.com/gatehouse/gatehouse/internal/posture"
)

// kafkaPage is the most that MSK puts on a page.
const kafkaPage = 100

func (s *scope) readKafka(ctx context.Context) {
	client := kafka.NewFromConfig(s.cfg)
	clusters, err := listing(func(next *string) ([]types.Cluster, *string, error) {
		out, err := client.ListClustersV2(ctx, &kafka.ListClustersV2Input{MaxResults: awssdk.Int32(kafkaPage), NextToken: next})
		if err != nil {
			return nil, nil, err
		}
		return out.ClusterInfoList, out.NextToken, nil
	})
	if err != nil {
		s.failed("kafka:ListClustersV2", "", err, posture.KindMSKCluster, posture.KindMSKServerless)
		return
	}
	each(ctx, clusters, func(ctx context.Context, c types.Cluster) {
		if c.ClusterType == types.ClusterTypeServerless {
			r := s.resource(posture.KindMSKServerless, awssdk.ToString(c.ClusterArn), awssdk.ToString(c.ClusterName))
			r.Tags, r.Exposure = c.Tags, posture.ExposureVPC
			s.add(r)
			return
		}
		s.add(s.cluster(ctx, client, c))
	})
}

func (s *scope) cluster(ctx context.Context, client *kafka.Client, c types.Cluster) *posture.Resource {
	r := s.resource(posture.KindMSKCluster, awssdk.ToString(c.ClusterArn), awssdk.ToString(c.ClusterName))
	r.Tags, r.Exposure = c.Tags, posture.ExposureVPC
	p := c.Provisioned
	if p == nil {
		return r // every attribute stays unknown
	}
	if b := p.BrokerNodeGroupInfo; b != nil && b.ConnectivityInfo != nil && b.ConnectivityInfo.PublicAccess != nil &&
		awssdk.ToString(b.ConnectivityInfo.PublicAccess.Type) == "SERVICE_PROVIDED_EIPS" {
		r.Exposure = posture.ExposurePublic
	}
	clientAuthentication(r, p.ClientAuthentication)
	transport, within := posture.Absent(), posture.Absent()
	if p.EncryptionInfo != nil && p.EncryptionInfo.EncryptionInTransit != nil {
		e := p.EncryptionInfo.EncryptionInTransit
		if e.ClientBroker != "" {
			transport = posture.Text(string(e.ClientBroker))
		}
		within = posture.FlagOrAbsent(e.InCluster)
	}
	r.Set(posture.ClientBroker, transport).Set(posture.InCluster, within)
	if transport.Text() == string(types.ClientBrokerTls) {
		r.Set(posture.PlaintextBootstrap, posture.Absent()) // TLS alone: there is no other listener to ask about
		return r
	}
	out, err := client.GetBootstrapBrokers(ctx, &kafka.GetBootstrapBrokersInput{ClusterArn: c.ClusterArn})
	if err != nil {
		s.failed("kafka:GetBootstrapBrokers", awssdk.ToString(c.ClusterName), err, posture.KindMSKCluster)
		r.Set(posture.PlaintextBootstrap, posture.Unknown("kafka:GetBootstrapBrokers: "+plain(err), "the cluster's bootstrap brokers"))
		return r
	}
	r.Set(posture.PlaintextBootstrap, posture.TextOrAbsent(out.BootstrapBrokerString))
	return r
}

func clientAuthentication(r *posture.Resource, auth *types.ClientAuthentication) {
	r.Set(posture.ClientAuthentication, posture.Flag(auth != nil))
	open, iam, scram, mutual := posture.Absent(), posture.Absent(), posture.Absent(), posture.Absent()
	if auth != nil {
		if auth.Unauthenticated != nil {
			open = posture.FlagOrAbsent(auth.Unauthenticated.Enabled)
		}
		if auth.Sasl != nil && auth.Sasl.Iam != nil {
			iam = posture.FlagOrAbsent(auth.Sasl.Iam.Enabled)
		}
		if auth.Sasl != nil && auth.Sasl.Scram != nil {
			scram = posture.FlagOrAbsent(auth.Sasl.Scram.Enabled)
		}
		if auth.Tls != nil {
			mutual = posture.FlagOrAbsent(auth.Tls.Enabled)
			if auth.Tls.Enabled == nil && len(auth.Tls.CertificateAuthorityArnList) > 0 {
				mutual = posture.Flag(true)
			}
		}
	}
	r.Set(posture.Unauthenticated, open).Set(posture.SASLIAM, iam).Set(posture.SASLSCRAM, scram).Set(posture.MutualTLS, mutual)
}
