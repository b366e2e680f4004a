// Package iam serves the IAM API, and answers the front door's questions about
// callers: whose an access key is, and what its owner may do.
//
// It owns the translation between the SDK's types and control/iam, IAM's paging
// and encoding of documents, and the service's part of the authorisation table.
// It leaves rules and decisions to control/iam.
package iam
