package awsjson

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/http"

	"slipway/internal/fault"
	"slipway/internal/sigv4"
	"slipway/internal/vault"
)

// exceptions is the only place where a failure of an operation gets its AWS
// name: each service, by its signing name, has names of its own. Slipway's
// extension shares CodeBuild's.
var exceptions = map[string]names{
	"codebuild": codebuildNames,
	"slipway":   codebuildNames,
	"logs": {
		kinds: kindNames{
			fault.Internal: "InternalFailure", fault.Invalid: "InvalidParameterException", fault.Constraint: "InvalidParameterException",
			fault.NotFound: "ResourceNotFoundException", fault.Exists: "ResourceAlreadyExistsException", fault.Limit: "LimitExceededException",
			fault.Provider: "ServiceUnavailableException", fault.Unavailable: "ServiceUnavailableException",
			fault.Denied: "AccessDeniedException", fault.Gone: "ResourceNotFoundException",
		},
	},
	"ssm": {
		kinds: kindNames{
			fault.Internal: "InternalServerError", fault.Invalid: "ValidationException", fault.Constraint: "ValidationException",
			fault.NotFound: "ParameterNotFound", fault.Exists: "ParameterAlreadyExists", fault.Limit: "ParameterLimitExceeded",
			fault.Provider: "InternalServerError", fault.Unavailable: "ServiceUnavailableException",
			fault.Denied: "AccessDeniedException", fault.Gone: "ParameterNotFound",
		},
		reasons: map[fault.Reason]string{
			vault.NoVersion: "ParameterVersionNotFound", vault.TooDeep: "HierarchyLevelLimitExceededException",
			vault.BadPattern: "InvalidAllowedPatternException", vault.PatternMismatch: "ParameterPatternMismatchException",
			vault.BadFilterKey: "InvalidFilterKey", vault.BadFilterOption: "InvalidFilterOption", vault.BadFilterValue: "InvalidFilterValue",
			vault.BadPage: "InvalidNextToken", vault.BadResource: "InvalidResourceId", vault.BadResourceType: "InvalidResourceType",
			vault.TooManyTags: "TooManyTagsError",
		},
	},
	"secretsmanager": {
		kinds: kindNames{
			fault.Internal: "InternalServiceError", fault.Invalid: "InvalidParameterException", fault.Constraint: "ValidationException",
			fault.NotFound: "ResourceNotFoundException", fault.Exists: "ResourceExistsException", fault.Limit: "LimitExceededException",
			fault.Provider: "InternalServiceError", fault.Unavailable: "ServiceUnavailableException",
			fault.Denied: "AccessDeniedException", fault.Gone: "ResourceNotFoundException",
		},
		reasons: map[fault.Reason]string{vault.Unfit: "InvalidRequestException", vault.BadPage: "InvalidNextTokenException"},
	},
}

var codebuildNames = names{
	kinds: kindNames{
		fault.Internal: "InternalFailure", fault.Invalid: "InvalidInputException", fault.Constraint: "ValidationException",
		fault.NotFound: "ResourceNotFoundException", fault.Exists: "ResourceAlreadyExistsException", fault.Limit: "AccountLimitExceededException",
		fault.Provider: "OAuthProviderException", fault.Unavailable: "ServiceUnavailableException",
		fault.Denied: "AccessDeniedException", fault.Gone: "ResourceNotFoundException",
	},
}

// names are what a service calls failures: by their kind, and some by the reason
// that tells them apart from others of it.
type names struct {
	kinds   kindNames
	reasons map[fault.Reason]string
}

type kindNames map[fault.Kind]string

func (n names) of(err error) string {
	if name, ok := n.reasons[fault.ReasonOf(err)]; ok {
		return name
	}
	return n.kinds[fault.KindOf(err)]
}

// statuses are those of kinds that are not the caller's fault: all else is 400.
var statuses = map[fault.Kind]int{fault.Internal: http.StatusInternalServerError, fault.Unavailable: http.StatusServiceUnavailable}

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
	service, ok := exceptions[x.service]
	if !ok {
		service = codebuildNames
	}
	f := &failure{name: service.of(err), status: cmp.Or(statuses[kind], http.StatusBadRequest), message: fault.Message(err)}
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
