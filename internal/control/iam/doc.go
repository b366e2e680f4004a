// Package iam is the identities of the account: IAM users, their access keys,
// groups, roles, policies and OpenID Connect providers, the sessions that STS
// issues for them, and what each of them may do.
//
// It owns IAM's rules (names, paths, ids, quotas, what must go before something
// can be deleted), the sealing of secret access keys, finding out who an access
// key is, collecting the policies that apply to a principal, authorising API
// calls by them, and making the grants by which gateways verify IAM tokens. It
// leaves the policy language to policy, the sealed form of session tokens to
// credential/sessiontoken, tokens to credential/iamtoken, and AWS's wire forms
// to awsapi/iam and awsapi/sts.
package iam
