// Package awsapi is the front door of the control plane: one HTTP handler that
// takes AWS API calls and Gatehouse's own /gatehouse/v1 calls, and lets through
// what is signed, known, allowed and well formed, in this order.
//
// It owns routing by signature scope, action and version; the authorisation
// table, in which every action must be listed; the translation of the kinds of
// identity into AWS's error codes; request ids; and telling the observer about
// every call. The packages below it serve one AWS service each (elasticache,
// sts), speak one protocol (query) or hold the models. It leaves signatures to
// sigv4, what a caller may do to an Authorizer, operations to control, and
// listeners, TLS and time limits to whoever mounts the handler.
package awsapi
