package awsjson

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"

	"slipway/internal/accesskey"
	"slipway/internal/api/sts"
)

// stsNamespace and stsVersion are those of STS's only API.
const (
	stsNamespace = "https://sts.amazonaws.com/doc/2011-06-15/"
	stsVersion   = "2011-06-15"
)

// invalidAction answers what STS can do on AWS and cannot here.
var invalidAction = &failure{name: "InvalidAction", status: 400, message: "The only action of STS here is GetCallerIdentity of version " + stsVersion + "."}

// isQuery reports whether r speaks the query protocol, which STS does: a form
// in the body and no target.
func isQuery(r *http.Request) bool {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return r.Method == http.MethodPost && strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded") && r.Header.Get("X-Amz-Target") == ""
}

type identityAnswer struct {
	XMLName   xml.Name `xml:"GetCallerIdentityResponse"`
	Namespace string   `xml:"xmlns,attr"`
	ARN       string   `xml:"GetCallerIdentityResult>Arn"`
	UserID    string   `xml:"GetCallerIdentityResult>UserId"`
	Account   string   `xml:"GetCallerIdentityResult>Account"`
	RequestID string   `xml:"ResponseMetadata>RequestId"`
}

type errorAnswer struct {
	XMLName   xml.Name `xml:"ErrorResponse"`
	Namespace string   `xml:"xmlns,attr"`
	Type      string   `xml:"Error>Type"`
	Code      string   `xml:"Error>Code"`
	Message   string   `xml:"Error>Message"`
	RequestID string   `xml:"RequestId"`
}

// serveQuery answers GetCallerIdentity, which clients call to see whether
// their key is good: all of the answer is in the signature.
func (x *exchange) serveQuery(w http.ResponseWriter, b *bytes.Buffer) {
	x.service = sts.Definition.Name
	var caller accesskey.Caller
	failed := x.protect(func() (failed *failure) {
		caller, failed = x.identity(b)
		return failed
	})
	x.log(failed)
	b.Reset()
	if failed == nil {
		_ = xml.NewEncoder(b).Encode(identityAnswer{
			Namespace: stsNamespace, ARN: caller.ARN(), UserID: caller.UserID(), Account: caller.Scope.Account, RequestID: x.id,
		})
		x.write(w, http.StatusOK, "text/xml", b)
		return
	}
	name, status, side := failed.name, failed.status, "Sender"
	if failed.query != "" {
		name, status = failed.query, failed.queryStatus
	}
	if status >= 500 {
		side = "Receiver"
	}
	_ = xml.NewEncoder(b).Encode(errorAnswer{Namespace: stsNamespace, Type: side, Code: name, Message: failed.message, RequestID: x.id})
	x.write(w, status, "text/xml", b)
}

func (x *exchange) identity(b *bytes.Buffer) (accesskey.Caller, *failure) {
	if failed := x.read(b); failed != nil {
		return accesskey.Caller{}, failed
	}
	form, err := url.ParseQuery(b.String())
	if err != nil || sts.Definition.Operations[form.Get("Action")] == nil || form.Get("Version") != stsVersion {
		return accesskey.Caller{}, invalidAction
	}
	x.operation = form.Get("Action")
	caller, err := x.caller(b.Bytes(), x.service)
	if err != nil {
		return accesskey.Caller{}, x.refused(err)
	}
	return caller, nil
}
