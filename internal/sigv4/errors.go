package sigv4

import (
	"fmt"
	"net/http"
)

// Error is a refusal in AWS's own words (IAM User Guide, "Troubleshoot
// Signature Version 4 signing"; ElastiCache API Reference, "Common Errors").
type Error struct {
	Code    string
	Status  int
	Message string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Codes of the refusals.
const (
	CodeMissingToken  = "MissingAuthenticationToken"
	CodeIncomplete    = "IncompleteSignature"
	CodeUnknownKey    = "InvalidClientTokenId"
	CodeDoesNotMatch  = "SignatureDoesNotMatch"
	messageMismatch   = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	messageUnknownKey = "The security token included in the request is invalid."
)

func incomplete(format string, args ...any) error {
	return &Error{Code: CodeIncomplete, Status: http.StatusBadRequest, Message: fmt.Sprintf(format, args...)}
}

func mismatch(format string, args ...any) error {
	return &Error{Code: CodeDoesNotMatch, Status: http.StatusForbidden, Message: fmt.Sprintf(format, args...)}
}

func missingToken() error {
	return &Error{Code: CodeMissingToken, Status: http.StatusForbidden, Message: "Request is missing Authentication Token"}
}

func unknownKey() error {
	return &Error{Code: CodeUnknownKey, Status: http.StatusForbidden, Message: messageUnknownKey}
}
