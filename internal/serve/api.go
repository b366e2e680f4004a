package serve

import (
	"context"

	"github.com/gatehouse/gatehouse/internal/awsapi"
	"github.com/gatehouse/gatehouse/internal/awsapi/cloudtrail"
	"github.com/gatehouse/gatehouse/internal/awsapi/elasticache"
	iamapi "github.com/gatehouse/gatehouse/internal/awsapi/iam"
	"github.com/gatehouse/gatehouse/internal/awsapi/sts"
	"github.com/gatehouse/gatehouse/internal/clock"
)

// makeAPI puts the front door in front of control and of the operators' endpoints.
func (s *server) makeAPI(context.Context) error {
	endpoints, permissions := s.endpoints()
	caches := &elasticache.API{Account: s.account, Users: s.users, Caches: s.caches, Tags: s.tags}
	var err error
	s.door, err = awsapi.New(awsapi.Config{
		Region:      s.cfg.Region,
		Clock:       clock.Real,
		Credentials: iamapi.Front{IAM: s.iam},
		Authorizer:  iamapi.Front{IAM: s.iam},
		Observer:    callRecorder{s.trail},
		Log:         s.log,
		Services:    []awsapi.Service{caches.Service(), (&iamapi.API{IAM: s.iam}).Service(), (&sts.API{IAM: s.iam}).Service(), (&cloudtrail.API{Account: s.account, Trail: s.trail}).Service(), s.cloudWatch()},
		Endpoints:   endpoints,
		Permissions: permissions,
	})
	return err
}
