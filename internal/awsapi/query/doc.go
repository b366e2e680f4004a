// Package query speaks the AWS Query protocol: form-encoded requests, XML
// responses and XML errors.
//
// It owns reading a form into the SDK's input types and writing the SDK's output
// types as XML, both led by a service's model, and the bounds of what a form may
// hold. It leaves routing, authentication and the choice of error codes to
// awsapi, and checking values against the model to awsapi/model.
//
// Source: "AWS query protocol", Smithy specification; ElastiCache API
// Reference, "Query API". Two points are decided here:
//
//   - A parameter that the model does not have, or that is given twice, is
//     refused. AWS overlooks the former; here a misspelt AuthToken would
//     silently make an open cache.
//   - Items of a list that has its own name for them (Tags.Tag.1) may be called
//     "member" too, which AWS's own examples do.
package query
