package credential

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/secret"
)

const (
	maxToken    = 16 << 10 // bytes; the longest known tokens, JWTs, have a few KiB
	maxUsername = 256      // bytes
)

var servers = []api.ServerType{
	api.ServerTypeGithub, api.ServerTypeBitbucket, api.ServerTypeGithubEnterprise,
	api.ServerTypeGitlab, api.ServerTypeGitlabSelfManaged,
}

// The forms of what stands in the token's place when the token itself is
// somewhere else.
var (
	connection     = regexp.MustCompile(`^arn:aws[a-z-]*:(codeconnections|codestar-connections):[a-z0-9-]+:[0-9]{12}:connection/[A-Za-z0-9-]+$`)
	secretsManager = regexp.MustCompile(`^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@!-]+$`)
)

// New returns the credential that in imports into scope, or what is wrong with
// it as Invalid; no message repeats the token. White space around the token and
// the user name is dropped, since it comes from files and copying. The provider
// is not asked whether it knows the token. A personal access token for the two
// GitLab types, which CodeBuild reaches through connections only, is accepted.
func New(scope arn.Scope, in *api.ImportSourceCredentialsInput, now time.Time) (Credential, error) {
	c := Credential{About: About{
		Scope: scope, ARN: scope.Token(string(in.ServerType)), ServerType: in.ServerType, AuthType: in.AuthType,
		Created: now.UTC(), Modified: now.UTC(),
	}}
	if !slices.Contains(servers, in.ServerType) {
		return Credential{}, fault.New(fault.Invalid, "Invalid ServerType provided")
	}
	if err := checkPair(in.ServerType, in.AuthType); err != nil {
		return Credential{}, err
	}
	token, err := checkToken(in.Token)
	if err != nil {
		return Credential{}, err
	}
	switch in.AuthType {
	case api.AuthTypeCodeconnections:
		if !connection.MatchString(token) {
			return Credential{}, fault.New(fault.Invalid, "Token must be a valid CodeConnections arn")
		}
		c.Resource = token
	case api.AuthTypeSecretsManager:
		if !secretsManager.MatchString(token) {
			return Credential{}, fault.New(fault.Invalid, "Token must be a valid Secrets Manager secret arn")
		}
		c.Resource = token
	case api.AuthTypeBasicAuth:
		if c.Username, err = checkUsername(in.Username); err != nil {
			return Credential{}, err
		}
		c.Token = secret.New(token)
	default:
		c.Token = secret.New(token)
	}
	return c, nil
}

// checkPair tells whether a server type can be logged in to in this way.
func checkPair(server api.ServerType, auth api.AuthType) error {
	switch auth {
	case api.AuthTypeOauth:
		return fault.New(fault.Invalid, "OAUTH is not supported by the CodeBuild API. To connect to your account with OAUTH, use the AWS CodeBuild console.")
	case api.AuthTypePersonalAccessToken, api.AuthTypeCodeconnections, api.AuthTypeSecretsManager:
		return nil
	case api.AuthTypeBasicAuth:
		if server == api.ServerTypeBitbucket {
			return nil
		}
	}
	return fault.New(fault.Invalid, "Invalid AuthType provided for ServerType %s", server)
}

func checkToken(given secret.Text) (string, error) {
	token := strings.TrimFunc(given.Reveal(), around)
	switch {
	case token == "":
		return "", fault.New(fault.Invalid, "Token is required")
	case len(token) > maxToken:
		return "", fault.New(fault.Invalid, "Token is too long: it can have at most %d bytes", maxToken)
	case strings.ContainsFunc(token, unseen):
		return "", fault.New(fault.Invalid, "Token must not contain line breaks or control characters: copy the token alone, in one line")
	}
	return token, nil
}

func checkUsername(given *string) (string, error) {
	name := ""
	if given != nil {
		name = strings.TrimFunc(*given, around)
	}
	switch {
	case name == "":
		return "", fault.New(fault.Invalid, "Username is required for ServerType BITBUCKET with AuthType BASIC_AUTH")
	case len(name) > maxUsername:
		return "", fault.New(fault.Invalid, "Username is too long: it can have at most %d bytes", maxUsername)
	case strings.ContainsFunc(name, func(r rune) bool { return r == ':' || unseen(r) }): // basic authentication ends the name at a colon
		return "", fault.New(fault.Invalid, "Username must not contain colons, line breaks or control characters")
	}
	return name, nil
}

func around(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) }

// unseen reports whether r is a control character, a line break or one that
// takes no space, such as the byte order mark that some editors put into files.
func unseen(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) }
