package credential

import (
	"crypto/sha256"
	"encoding/binary"
	"regexp"
	"strings"

	"github.com/google/uuid"

	"slipway/internal/arn"
)

// maxName is how many characters the name of a credential can have.
const maxName = 64

// nameForm keeps names apart from ARNs, and fit for paths and command lines.
var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@+-]*$`)

// suffixDigits are what Secrets Manager ends its ARNs with.
const suffixDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// secretName returns the ARN of the credential with a name: that of a secret,
// so that a source can name it as auth of type SECRETS_MANAGER. It is the same
// whenever a credential of that name is imported.
func secretName(scope arn.Scope, name string) string {
	sum := sha256.Sum256([]byte(scope.Account + "\n" + scope.Region + "\n" + name))
	n := binary.BigEndian.Uint64(sum[:])
	suffix := make([]byte, 6)
	for i := range suffix {
		suffix[i] = suffixDigits[n%uint64(len(suffixDigits))]
		n /= uint64(len(suffixDigits))
	}
	return scope.Of("secretsmanager", "secret:slipway/"+name+"-"+string(suffix))
}

// connectionName returns the second ARN of the credential with a name: that of
// a connection, for sources whose auth is of type CODECONNECTIONS.
func connectionName(scope arn.Scope, name string) string {
	id := uuid.NewSHA1(uuid.NameSpaceURL, []byte(scope.Of("slipway", "credential/"+name)))
	return scope.Of("codeconnections", "connection/"+id.String())
}

// Canonical returns the ARN of a connection under the service's present name:
// it was codestar-connections before. Other texts are returned as they are.
func Canonical(text string) string {
	a, ok := arn.Parse(text)
	if !ok || a.Service != "codestar-connections" {
		return text
	}
	return strings.Replace(text, ":codestar-connections:", ":codeconnections:", 1)
}

// Is reports whether an ARN is the credential's own, in either of its forms.
func (a About) Is(text string) bool {
	return text != "" && (a.ARN == text || a.ConnectionARN != "" && a.ConnectionARN == Canonical(text))
}

// Title is how sentences call a credential: its name, or its ARN.
func (a About) Title() string {
	if a.Name != "" {
		return a.Name
	}
	return a.ARN
}
