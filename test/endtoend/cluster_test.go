package endtoend

import (
	"errors"
	"fmt"
	"net"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
)

// cluster waits until a cluster is available and returns it with its address.
func (s *server) cluster(id string) (types.CacheCluster, string) {
	s.t.Helper()
	var found types.CacheCluster
	s.await("cache cluster "+id+" to be available", func() error {
		out, err := s.api().DescribeCacheClusters(s.t.Context(), &elasticache.DescribeCacheClustersInput{CacheClusterId: &id, ShowCacheNodeInfo: aws.Bool(true)})
		if err != nil {
			return err
		}
		found = out.CacheClusters[0]
		if status := aws.ToString(found.CacheClusterStatus); status != "available" {
			return fmt.Errorf("it is %s", status)
		}
		return nil
	})
	at := found.CacheNodes[0].Endpoint
	return found, net.JoinHostPort(aws.ToString(at.Address), fmt.Sprint(aws.ToInt32(at.Port)))
}

func TestAClusterOfASingleNodeWithAToken(t *testing.T) {
	s := serve(t)
	ctx := t.Context()
	must[*elasticache.CreateCacheClusterOutput](t)(s.api().CreateCacheCluster(ctx, &elasticache.CreateCacheClusterInput{
		CacheClusterId: aws.String("solo"), Engine: aws.String("redis"), CacheNodeType: aws.String("cache.t4g.micro"), NumCacheNodes: aws.Int32(1),
		TransitEncryptionEnabled: aws.Bool(true), AuthToken: aws.String(firstToken),
	}))
	made, address := s.cluster("solo")
	if made.ReplicationGroupId != nil || !aws.ToBool(made.AuthTokenEnabled) || !aws.ToBool(made.TransitEncryptionEnabled) {
		t.Errorf("the cluster is %+v", made)
	}
	allowed(t, s.redis(address, "", firstToken).Set(ctx, "time", "now", 0))
	refusedWith(t, "NOAUTH", s.redis(address, "", "").Ping(ctx))
	for _, strategy := range []types.AuthTokenUpdateStrategyType{types.AuthTokenUpdateStrategyTypeRotate, types.AuthTokenUpdateStrategyTypeSet} {
		must[*elasticache.ModifyCacheClusterOutput](t)(s.api().ModifyCacheCluster(ctx, &elasticache.ModifyCacheClusterInput{
			CacheClusterId: aws.String("solo"), AuthToken: aws.String(secondToken), AuthTokenUpdateStrategy: strategy, ApplyImmediately: aws.Bool(true),
		}))
		s.cluster("solo")
		allowed(t, s.redis(address, "", secondToken).Get(ctx, "time"))
	}
	refusedWith(t, "WRONGPASS", s.redis(address, "", firstToken).Ping(ctx))
	must[*elasticache.ModifyCacheClusterOutput](t)(s.api().ModifyCacheCluster(ctx, &elasticache.ModifyCacheClusterInput{
		CacheClusterId: aws.String("solo"), Engine: aws.String("valkey"), EngineVersion: aws.String("8.0"), ApplyImmediately: aws.Bool(true),
	}))
	if made, _ = s.cluster("solo"); aws.ToString(made.Engine) != "valkey" {
		t.Errorf("its engine is %s", aws.ToString(made.Engine))
	}
	allowed(t, s.redis(address, "", secondToken).Get(ctx, "time"))
	must[*elasticache.DeleteCacheClusterOutput](t)(s.api().DeleteCacheCluster(ctx, &elasticache.DeleteCacheClusterInput{CacheClusterId: aws.String("solo")}))
	s.await("the cluster to be gone", func() error {
		_, err := s.api().DescribeCacheClusters(ctx, &elasticache.DescribeCacheClustersInput{CacheClusterId: aws.String("solo")})
		if gone := new(types.CacheClusterNotFoundFault); errors.As(err, &gone) {
			return nil
		}
		return fmt.Errorf("describing it answers %v", err)
	})
}
