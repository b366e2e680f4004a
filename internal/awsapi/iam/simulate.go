package iam

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/gatehouse/gatehouse/internal/awsapi"
	"github.com/gatehouse/gatehouse/internal/control/iam"
	"github.com/gatehouse/gatehouse/internal/policy"
)

func (a *API) simulateOperations() []awsapi.Operation {
	return []awsapi.Operation{
		awsapi.Serve("SimulatePrincipalPolicy", func(_ context.Context, in *sdk.SimulatePrincipalPolicyInput) (*sdk.SimulatePrincipalPolicyOutput, error) {
			results, p, err := a.simulate(&iam.SimulateInput{
				Source: *in.PolicySourceArn, Policies: in.PolicyInputList, Boundaries: in.PermissionsBoundaryPolicyInputList,
				ResourcePolicy: aws.ToString(in.ResourcePolicy), Owner: accountIn(in.ResourceOwner), Caller: aws.ToString(in.CallerArn),
				Actions: in.ActionNames, Resources: in.ResourceArns, Context: entries(in.ContextEntries),
			}, in.Marker, in.MaxItems)
			return &sdk.SimulatePrincipalPolicyOutput{EvaluationResults: results, Marker: p.Next, IsTruncated: p.Truncated}, err
		}),
		awsapi.Serve("SimulateCustomPolicy", func(_ context.Context, in *sdk.SimulateCustomPolicyInput) (*sdk.SimulateCustomPolicyOutput, error) {
			results, p, err := a.simulate(&iam.SimulateInput{
				Policies: in.PolicyInputList, Boundaries: in.PermissionsBoundaryPolicyInputList,
				ResourcePolicy: aws.ToString(in.ResourcePolicy), Owner: accountIn(in.ResourceOwner), Caller: aws.ToString(in.CallerArn),
				Actions: in.ActionNames, Resources: in.ResourceArns, Context: entries(in.ContextEntries),
			}, in.Marker, in.MaxItems)
			return &sdk.SimulateCustomPolicyOutput{EvaluationResults: results, Marker: p.Next, IsTruncated: p.Truncated}, err
		}),
	}
}

// accountIn is the account of a ResourceOwner, which is an ARN or an account id.
func accountIn(owner *string) string {
	text := aws.ToString(owner)
	if parts := strings.Split(text, ":"); len(parts) > 4 {
		return parts[4]
	}
	return text
}

func entries(list []types.ContextEntry) map[string][]string {
	keys := map[string][]string{}
	for _, entry := range list {
		keys[aws.ToString(entry.ContextKeyName)] = entry.ContextKeyValues
	}
	return keys
}

func (a *API) simulate(in *iam.SimulateInput, marker *string, size *int32) ([]types.EvaluationResult, paging, error) {
	simulated, err := a.IAM.Simulate(in)
	if err != nil {
		return nil, paging{}, err
	}
	numbered := make([]int, len(simulated))
	for i := range numbered {
		numbered[i] = i
	}
	numbered, p, err := page(numbered, func(i int) string { return fmt.Sprintf("%09d", i) }, marker, size)
	results := []types.EvaluationResult{}
	for _, i := range numbered {
		results = append(results, a.showSimulated(&simulated[i]))
	}
	return results, p, err
}

func (a *API) showSimulated(s *iam.Simulated) types.EvaluationResult {
	decision := types.PolicyEvaluationDecisionTypeImplicitDeny
	switch {
	case s.Decision.Allowed:
		decision = types.PolicyEvaluationDecisionTypeAllowed
	case s.Decision.Explicit:
		decision = types.PolicyEvaluationDecisionTypeExplicitDeny
	}
	result := types.EvaluationResult{
		EvalActionName: aws.String(s.Action), EvalResourceName: aws.String(s.Resource), EvalDecision: decision,
		MatchedStatements: []types.Statement{}, MissingContextValues: filled(s.Missing),
	}
	for _, match := range s.Matches {
		result.MatchedStatements = append(result.MatchedStatements, a.showMatch(match))
	}
	if s.Boundary != nil {
		result.PermissionsBoundaryDecisionDetail = &types.PermissionsBoundaryDecisionDetail{AllowedByPermissionsBoundary: *s.Boundary}
	}
	return result
}

// showMatch names a statement as the simulator does: by the policy it is in and
// its place there. Sids are not part of the API.
func (a *API) showMatch(m policy.Match) types.Statement {
	shown := types.Statement{SourcePolicyId: aws.String(strings.ReplaceAll(m.Policy, "/", "_")), SourcePolicyType: sourceType(m)}
	if strings.HasPrefix(m.Policy, "arn:") {
		shown.SourcePolicyId = aws.String(m.Policy[strings.LastIndexByte(m.Policy, '/')+1:])
	}
	if m.Statement != nil {
		shown.StartPosition = position(m.Statement.Start)
		shown.EndPosition = position(m.Statement.End)
	}
	return shown
}

func position(p policy.Position) *types.Position {
	return &types.Position{Line: int32(p.Line), Column: int32(p.Column)}
}

func sourceType(m policy.Match) types.PolicySourceType {
	kind, _, inline := strings.Cut(m.Policy, "/")
	switch {
	case m.Kind == policy.Resource:
		return types.PolicySourceTypeResource
	case strings.Contains(m.Policy, ":iam::aws:policy/"):
		return types.PolicySourceTypeAwsManaged
	case strings.HasPrefix(m.Policy, "arn:"):
		return types.PolicySourceTypeUserManaged
	case inline:
		return types.PolicySourceType(kind)
	default:
		return types.PolicySourceTypeNone // given with the request
	}
}
