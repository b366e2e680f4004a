package serve

import (
	"context"

	"github.com/gatehouse/gatehouse/internal/awsapi"
	"github.com/gatehouse/gatehouse/internal/awsapi/elasticache"
	"github.com/gatehouse/gatehouse/internal/awsapi/sts"
	"github.com/gatehouse/gatehouse/internal/clock"
	"github.com/gatehouse/gatehouse/internal/control/naming"
	"github.com/gatehouse/gatehouse/internal/sigv4"
)

// makeAPI puts the front door in front of control and of the operators' endpoints.
func (s *server) makeAPI(context.Context) error {
	endpoints, permissions := s.endpoints()
	caches := &elasticache.API{Account: s.account, Users: s.users, Caches: s.caches, Tags: s.tags}
	var err error
	s.door, err = awsapi.New(awsapi.Config{
		Region: s.cfg.Region,
		Clock:  clock.Real,
		Credentials: awsapi.RootCredentials{
			Key:       sigv4.Key{ID: s.root.AccessKeyID, Secret: s.root.SecretAccessKey},
			AccountID: s.cfg.AccountID, Partition: naming.Partition(s.cfg.Region),
		},
		Authorizer:  awsapi.RootOnly{},
		Observer:    callRecorder{s.trail},
		Log:         s.log,
		Services:    []awsapi.Service{caches.Service(), sts.Service()},
		Endpoints:   endpoints,
		Permissions: permissions,
	})
	return err
}
