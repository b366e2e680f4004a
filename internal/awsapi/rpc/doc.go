// Package rpc speaks the two AWS protocols that name an operation outside its
// body: AWS JSON (1.0 and 1.1) and Smithy RPC v2 CBOR.
//
// It owns reading a body into the SDK's input types and writing the SDK's output
// types and errors, both led by a service's model, and the bounds of what a body
// may hold. It leaves routing, authentication and the choice of error codes to
// awsapi, and checking values against the model to awsapi/model.
//
// Source: "AWS JSON 1.1 protocol" and "Smithy RPC v2 CBOR protocol", Smithy
// specification. As in awsapi/query a member that the model does not have, or
// that is given twice, is refused: AWS overlooks it, but a condition that is
// misspelt and overlooked gives more than was asked for.
package rpc
