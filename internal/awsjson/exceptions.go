package awsjson

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"

	"slipway/internal/fault"
	"slipway/internal/sigv4"
)

// exceptions is the only place where a failure of an operation gets its AWS
// name. CloudWatch Logs has names of its own; Slipway's extension shares CodeBuild's.
var exceptions = map[fault.Kind]struct {
	codebuild, logs string
	status          int
}{
	fault.Internal:    {"InternalFailure", "InternalFailure", 500},
	fault.Invalid:     {"InvalidInputException", "InvalidParameterException", 400},
	fault.Constraint:  {"ValidationException", "InvalidParameterException", 400},
	fault.NotFound:    {"ResourceNotFoundException", "ResourceNotFoundException", 400},
	fault.Exists:      {"ResourceAlreadyExistsException", "ResourceAlreadyExistsException", 400},
	fault.Limit:       {"AccountLimitExceededException", "LimitExceededException", 400},
	fault.Provider:    {"OAuthProviderException", "ServiceUnavailableException", 400},
	fault.Unavailable: {"ServiceUnavailableException", "ServiceUnavailableException", 503},
	fault.Denied:      {"AccessDeniedException", "AccessDeniedException", 400},
	fault.Gone:        {"ResourceNotFoundException", "ResourceNotFoundException", 400},
}

// refusals is the same for what sigv4 refuses. AWS answers it with 400 in the
// JSON protocol and mostly with 403 in the query protocol.
var refusals = map[sigv4.Reason]struct {
	json        string
	query       string
	queryStatus int
}{
	sigv4.Missing:    {"MissingAuthenticationTokenException", "MissingAuthenticationToken", 403},
	sigv4.Incomplete: {"IncompleteSignatureException", "IncompleteSignature", 400},
	sigv4.UnknownKey: {"UnrecognizedClientException", "InvalidClientTokenId", 403},
	sigv4.ExpiredKey: {"ExpiredTokenException", "ExpiredToken", 403},
	sigv4.Mismatch:   {"InvalidSignatureException", "SignatureDoesNotMatch", 403},
}

// Failures that are known before an operation runs.
var (
	unknownOperation = &failure{name: "UnknownOperationException", status: 400,
		message: "The operation that X-Amz-Target names is unknown. Requests are POST / with a target such as CodeBuild_20161006.ListProjects."}
	bodyUnread = &failure{name: "SerializationException", status: 400, message: "The request's body ended early."}
	notJSON    = &failure{name: "SerializationException", status: 400, message: "The request's body is not valid JSON."}
	notObject  = &failure{name: "SerializationException", status: 400, message: "The request's body must be a JSON object."}
	wrongType  = &failure{name: "SerializationException", status: 400, message: "A member of the request has a value of the wrong type."}
	rebinding  = &failure{name: "AccessDeniedException", status: 400, refusal: true,
		message: "A server that accepts any credentials serves no web pages of other names: call it as localhost or by its address."}
	otherOrigin = &failure{name: "AccessDeniedException", status: 400, refusal: true,
		message: "Web pages of other origins may not call this: open the console at the server's own address."}
)

func tooLarge(limit int64) *failure {
	return &failure{name: "RequestEntityTooLargeException", status: http.StatusRequestEntityTooLarge,
		message: fmt.Sprintf("The request's body is longer than %d bytes.", limit)}
}

func notImplemented(operation string) *failure {
	return &failure{name: "NotImplementedException", status: http.StatusNotImplemented,
		message: "Slipway does not implement " + operation + " yet."}
}

// A failure is an answer that is no success. It is also the error that other
// functions here return.
type failure struct {
	name        string
	status      int
	message     string // the caller reads it
	cause       error  // our log reads it; nil if there is no more to say
	refusal     bool   // the caller is not who they say
	query       string // name and status in the query protocol, if they differ
	queryStatus int
}

func (f *failure) Error() string { return f.name + ": " + f.message }

// exception returns the failure that an error of the exchange's service is.
func (x *exchange) exception(err error) *failure {
	kind := fault.KindOf(err)
	e := exceptions[kind]
	f := &failure{name: e.codebuild, status: e.status, message: fault.Message(err)}
	if x.service == "logs" {
		f.name = e.logs
	}
	if kind == fault.Internal {
		f.message = "internal failure"
	}
	if e, ok := errors.AsType[*fault.Error](err); !ok || kind == fault.Internal || e.Err != nil {
		f.cause = err
	}
	return f
}

// refused returns the failure that an error of x.caller is.
func (x *exchange) refused(err error) *failure {
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	e, ok := errors.AsType[*sigv4.Error](err)
	if !ok {
		return x.exception(err)
	}
	names := refusals[e.Reason]
	return &failure{name: names.json, status: 400, message: e.Message, refusal: true, query: names.query, queryStatus: names.queryStatus}
}

// encode replaces what is in b by the JSON form of f.
func (f *failure) encode(b *bytes.Buffer) {
	b.Reset()
	_ = encode(b, struct { // strings always encode
		Type    string `json:"__type"`
		Message string `json:"message"`
	}{f.name, f.message})
}
