// Package aws reads the posture model from live AWS: API Gateway v2, AppSync,
// MSK, DMS and ElastiCache, and whether AWS Config watches them.
//
// It owns who asks (the ordinary credential chain, one assumed role per further
// account), which regions are visited, how many calls are under way at once,
// retries that adapt to throttling, reading every page of every list, and the
// rule that a scope which could not be read becomes a Problem and never an
// empty list. It leaves judgement to posture, and writes nothing to AWS except
// findings in Security Hub (securityhub.go), and only when asked.
package aws
