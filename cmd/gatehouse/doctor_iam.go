package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"

	"github.com/gatehouse/gatehouse/internal/credential/iamtoken"
	"github.com/gatehouse/gatehouse/pkg/cacheauth"
)

const (
	// askTime bounds what the doctor asks of others.
	askTime = 10 * time.Second
	// clockNoted is a difference between clocks that is worth a word: responses
	// carry whole seconds, and take some to arrive.
	clockNoted = 30 * time.Second
)

// ask asks the AWS endpoint what only it knows: who the signer is, what the
// policies say and what time it is.
func (d *diagnosis) ask(ctx context.Context) {
	if !d.credentials.HasKeys() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	settings := d.settings.Copy()
	settings.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return d.credentials, nil })
	who, err := sts.NewFromConfig(settings).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		d.say(noteFound, "the AWS endpoint does not say who the signer is, so that policies and clocks are not checked: %v", err)
		return
	}
	d.compareClocks(who.ResultMetadata)
	arn := aws.ToString(who.Arn)
	if strings.HasSuffix(arn, ":root") {
		d.say(faultFound, "the signer is the account's root, which does not log in to caches")
		return
	}
	d.simulate(ctx, iam.NewFromConfig(settings), arn, aws.ToString(who.Account))
}

// compareClocks judges the difference between this clock and the endpoint's.
func (d *diagnosis) compareClocks(metadata middleware.Metadata) {
	skew, ok := awsmiddleware.GetAttemptSkew(metadata) // theirs minus ours
	if !ok {
		return
	}
	switch skew = skew.Round(time.Second); {
	case -skew > iamtoken.MaxSkew:
		d.say(faultFound, "this clock is %s ahead of the AWS endpoint's: tokens made here are signed in the future", -skew)
	case skew >= cacheauth.TokenLife:
		d.say(faultFound, "this clock is %s behind the AWS endpoint's: tokens made here have expired when they are made", skew)
	case skew.Abs() > clockNoted:
		d.say(noteFound, "this clock and the AWS endpoint's are %s apart", skew.Abs())
	default:
		d.say(rightFound, "this clock and the AWS endpoint's agree")
	}
}

// simulate asks what elasticache:Connect evaluates to, on the cache and on the
// user, both of which must be allowed (ElastiCache User Guide, "Authenticating
// with IAM").
func (d *diagnosis) simulate(ctx context.Context, api *iam.Client, caller, account string) {
	out, err := api.SimulatePrincipalPolicy(ctx, &iam.SimulatePrincipalPolicyInput{
		PolicySourceArn: aws.String(policySource(caller)), ActionNames: []string{"elasticache:Connect"}, ResourceArns: d.resources(caller, account),
	})
	if err != nil {
		d.say(noteFound, "the policies of %s cannot be evaluated here (it needs iam:SimulatePrincipalPolicy): %v", caller, err)
		return
	}
	for i := range out.EvaluationResults {
		r := &out.EvaluationResults[i]
		what := fmt.Sprintf("elasticache:Connect on %s", aws.ToString(r.EvalResourceName))
		switch r.EvalDecision {
		case types.PolicyEvaluationDecisionTypeAllowed:
			d.say(rightFound, "the policies of %s allow %s", caller, what)
		case types.PolicyEvaluationDecisionTypeExplicitDeny:
			d.say(faultFound, "%s is denied explicitly%s", what, statements(r.MatchedStatements))
		default:
			d.say(faultFound, "%s is not allowed by the policies of %s", what, caller)
		}
		if len(r.MissingContextValues) > 0 {
			d.say(noteFound, "a condition on %s decides this at login and is not known here", strings.Join(r.MissingContextValues, ", "))
		}
	}
}

// resources are the ARNs of the cache and of the user.
func (d *diagnosis) resources(caller, account string) []string {
	partition := "aws"
	if parts := strings.Split(caller, ":"); len(parts) > 1 {
		partition = parts[1]
	}
	kind := "replicationgroup"
	if d.serverless {
		kind = "serverlesscache"
	}
	prefix := "arn:" + partition + ":elasticache:" + d.region + ":" + account + ":"
	return []string{prefix + kind + ":" + d.cache, prefix + "user:" + d.user}
}

// policySource is whose policies count for a caller: a session's are its role's.
// The role's path is not in the session's ARN; a role with one is not found.
func policySource(caller string) string {
	parts := strings.Split(caller, ":")
	session := strings.Split(parts[len(parts)-1], "/")
	if len(parts) != 6 || parts[2] != "sts" || session[0] != "assumed-role" || len(session) != 3 {
		return caller
	}
	return "arn:" + parts[1] + ":iam::" + parts[4] + ":role/" + session[1]
}

// statements names what matched, by policy and line.
func statements(matched []types.Statement) string {
	var names []string
	for _, s := range matched {
		name := fmt.Sprintf("%q", aws.ToString(s.SourcePolicyId))
		if s.StartPosition != nil {
			name += fmt.Sprintf(" (line %d, column %d)", s.StartPosition.Line, s.StartPosition.Column)
		}
		names = append(names, name)
	}
	if names == nil {
		return ""
	}
	return " by a statement of " + strings.Join(names, ", ")
}
