// Package fakeaws is a faithful small AWS for tests of the audit and of
// migrations: API Gateway v2, AppSync, MSK, DMS and ElastiCache as their SDK
// clients see them on the wire, and as much of STS, Config, Security Hub,
// CloudWatch, CloudWatch Logs, CloudTrail and Account as those tests need. It
// owns paging, transitional states, optimistic locks, the ROTATE/SET machine,
// full-replace updates, deployments, injected faults, and a data plane that
// answers according to the configuration of the moment. Many accounts and
// regions live in one server; the access key and the signature's scope say
// which is meant. It leaves signatures unverified: what it tests is what a
// client asks and concludes, not whether it may.
package fakeaws
