package vault

import (
	"strconv"
	"strings"

	"slipway/internal/arn"
)

// ParseParameterName reads what names a parameter where one is read: its name or
// ARN, followed by the number of a version, if any. selector is what follows,
// colon included, and version 0 if it is no number: such a version there is none
// of. ok is false if text can name nothing in scope.
func ParseParameterName(scope arn.Scope, text string) (name, selector string, version int64, ok bool) {
	name = text
	if strings.HasPrefix(text, "arn:") {
		a, parsed := arn.Parse(text)
		path, found := strings.CutPrefix(a.Resource, "parameter/")
		if !parsed || !found || a.Service != "ssm" || a.Account != scope.Account || a.Region != scope.Region {
			return "", "", 0, false
		}
		name = "/" + path
	}
	if i := strings.IndexByte(name, ':'); i >= 0 {
		name, selector = name[:i], name[i:]
		if n, err := strconv.ParseInt(selector[1:], 10, 64); err == nil && n > 0 {
			version = n
		}
	}
	return name, selector, version, ParameterPath(name) != ""
}

// versionOwner is what the value of one version of an ARN is sealed to: by the
// name that AWS has for it, so that no other version's value can take its place.
func versionOwner(arn, version string) string { return arn + ":" + version }

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
