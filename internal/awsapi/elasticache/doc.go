// Package elasticache serves the ElastiCache API: it carries requests in the
// SDK's types to the operations of control, and what they return back into the
// SDK's types.
//
// It owns the shape of answers (which member is there when, empty lists,
// pages), and which resources an action touches. It leaves the wire to
// awsapi/query, who may call to awsapi, and every rule about users, groups and
// caches to control. A file serves one noun.
package elasticache
