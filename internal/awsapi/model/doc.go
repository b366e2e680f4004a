// Package model holds what AWS's own service models say about the operations
// that Gatehouse serves and that the SDK's Go types do not carry: member order,
// required members, constraints, names on the wire, result wrappers, error codes
// with their HTTP status, and which members are secrets.
//
// It owns the compact form of those facts (the .json files here, embedded) and
// checking a request against them. It leaves the wire to awsapi/query and the
// rules that AWS states in prose to control. The files are made by modelgen
// from a service-2.json of botocore:
//
//	go run ./internal/awsapi/model/modelgen -from …/elasticache/2015-02-02/service-2.json.gz -to internal/awsapi/model/elasticache.json [Operation …]
//
// Without operations it renews those that the file has. -without names members
// that are not served: EvaluationCriteria and EvaluationInterval of CloudWatch.
package model
