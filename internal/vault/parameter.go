package vault

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"slipway/internal/api/ssm"
	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/secret"
)

// A Parameter is one version of a parameter in the clear.
type Parameter struct {
	ParameterAbout
	Value secret.Text
}

// A SealedParameter is a Parameter as it is stored, whatever its type: the value
// is sealed to the version's owner.
type SealedParameter struct {
	ParameterAbout
	Box []byte
}

// ParameterAbout is what is known of a version in the clear. The name and tags
// are those of all versions.
type ParameterAbout struct {
	Scope          arn.Scope         `json:"-"`
	Name           string            `json:"name"` // as it was put: with a slash before it if it has others
	Version        int64             `json:"version"`
	Type           ssm.ParameterType `json:"type"`
	Description    string            `json:"description,omitzero"`
	KeyID          string            `json:"keyId,omitzero"` // what a SecureString was asked to be encrypted with; it is sealed with our key
	AllowedPattern string            `json:"allowedPattern,omitzero"`
	DataType       string            `json:"dataType"`
	Tier           ssm.ParameterTier `json:"tier"`
	Tags           []Tag             `json:"tags,omitzero"`
	Modified       time.Time         `json:"modified"`
	ModifiedBy     string            `json:"modifiedBy"` // ARN of a user
}

// ARN returns the ARN of all versions.
func (a ParameterAbout) ARN() string { return ParameterARN(a.Scope, a.Name) }

// ParameterARN returns the ARN of the parameter with a name.
func ParameterARN(scope arn.Scope, name string) string {
	return scope.Of("ssm", "parameter/"+ParameterPath(name))
}

// ParameterPath returns what a name is known by: as in ARNs, there is no
// difference between app and /app.
func ParameterPath(name string) string { return strings.TrimPrefix(name, "/") }

// owner is what the value of a version is sealed to.
func (a ParameterAbout) owner() string { return versionOwner(a.ARN(), decimal(a.Version)) }

// Sealed returns p with its value sealed.
func (p Parameter) Sealed(s Sealer) (SealedParameter, error) {
	box, err := s.Seal([]byte(p.Value.Reveal()), p.owner())
	return SealedParameter{p.ParameterAbout, box}, err
}

// Open returns p in the clear. It fails if it was sealed as another version, or
// with a key that is not at hand.
func (p SealedParameter) Open(o Opener) (Parameter, error) {
	value, err := o.Open(p.Box, p.owner())
	if err != nil {
		return Parameter{}, err
	}
	return Parameter{p.ParameterAbout, secret.New(string(value))}, nil
}

// Limits of the Parameter Store, in bytes and levels. AWS has the first two in
// characters for some values.
const (
	maxStandard = 4 << 10
	maxAdvanced = 8 << 10
	maxLevels   = 15
	maxPath     = 1011 // characters of a name

	// MaxParameterVersions is how many versions are kept: the oldest goes.
	MaxParameterVersions = 100
)

// defaultKey is what SecureStrings are said to be encrypted with.
const defaultKey = "alias/aws/ssm"

// NewParameter returns the version that in puts in place of old, which is nil if
// there is no such parameter, or what is wrong with it. by is the ARN of who
// puts it. No message repeats the value.
func NewParameter(scope arn.Scope, in *ssm.PutParameterRequest, old *ParameterAbout, by string, now time.Time) (Parameter, error) {
	overwrite := in.Overwrite != nil && *in.Overwrite
	if err := checkParameterName(in.Name); err != nil {
		return Parameter{}, err
	}
	switch {
	case in.Value.IsZero():
		return Parameter{}, fault.New(fault.Constraint, "1 validation error detected: Value at 'value' failed to satisfy constraint: Member must have length greater than or equal to 1")
	case !utf8.ValidString(in.Value.Reveal()) || strings.ContainsRune(in.Value.Reveal(), 0):
		return Parameter{}, fault.New(fault.Constraint, "The value must be text without NUL characters")
	case text(in.Policies) != "" && strings.Trim(*in.Policies, " []{}") != "":
		return Parameter{}, fault.New(fault.Constraint, "Parameter policies are not supported: nothing would expire or be notified of. Leave Policies out")
	case overwrite && len(in.Tags) > 0:
		return Parameter{}, fault.New(fault.Constraint, "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag. "+
			"To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource.")
	case old != nil && !overwrite:
		return Parameter{}, fault.New(fault.Exists, "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.")
	}
	p := Parameter{Value: in.Value}
	if old != nil {
		p.ParameterAbout = *old
	} else {
		p.ParameterAbout = ParameterAbout{Scope: scope, Name: in.Name, DataType: "text", Tier: ssm.ParameterTierStandard}
		tags := make([]Tag, len(in.Tags))
		for i, t := range in.Tags {
			tags[i] = Tag(t)
		}
		var err error
		if p.Tags, err = Tagged(nil, tags); err != nil {
			return Parameter{}, err
		}
	}
	p.Version++
	p.Modified, p.ModifiedBy = now.UTC().Truncate(time.Microsecond), by
	p.Description, p.AllowedPattern = given(in.Description, p.Description), given(in.AllowedPattern, p.AllowedPattern)
	p.Type = cmp.Or(in.Type, p.Type)
	for _, set := range []func(*Parameter, *ssm.PutParameterRequest) error{setType, setDataType, setTier, matchPattern} {
		if err := set(&p, in); err != nil {
			return Parameter{}, err
		}
	}
	return p, nil
}

func setType(p *Parameter, in *ssm.PutParameterRequest) error {
	secure := p.Type == ssm.ParameterTypeSecureString
	switch {
	case p.Type == "":
		return fault.New(fault.Constraint, "A parameter type is required when you create a parameter.")
	case text(in.KeyID) != "" && !secure:
		return fault.New(fault.Constraint, "KeyId is required for SecureString type parameter only.")
	case secure:
		p.KeyID = cmp.Or(text(in.KeyID), p.KeyID, defaultKey)
	default:
		p.KeyID = ""
	}
	return nil
}

func setDataType(p *Parameter, in *ssm.PutParameterRequest) error {
	p.DataType = cmp.Or(text(in.DataType), p.DataType)
	if !slices.Contains([]string{"text", "aws:ec2:image", "aws:ssm:integration"}, p.DataType) {
		return fault.New(fault.Constraint, "The following data type is not supported: %s (Data type names are all lowercase.)", p.DataType)
	}
	return nil
}

// setTier chooses a tier, which decides how long the value may be.
func setTier(p *Parameter, in *ssm.PutParameterRequest) error {
	was, long := p.Tier, len(p.Value.Reveal()) > maxStandard
	switch in.Tier {
	case ssm.ParameterTierIntelligentTiering:
		if long {
			p.Tier = ssm.ParameterTierAdvanced
		}
	case "":
	default:
		p.Tier = in.Tier
	}
	switch {
	case was == ssm.ParameterTierAdvanced && p.Tier == ssm.ParameterTierStandard:
		return fault.New(fault.Constraint, "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the advanced-parameter tier to the standard-parameter tier. "+
			"If necessary, you can delete the advanced parameter and recreate it as a standard parameter.")
	case p.Tier == ssm.ParameterTierStandard && long:
		return fault.New(fault.Constraint, "Standard tier parameters support a maximum parameter value of 4096 characters. "+
			"To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier.")
	case len(p.Value.Reveal()) > maxAdvanced:
		return fault.New(fault.Constraint, "Advanced tier parameters support a maximum parameter value of 8192 characters. Store a longer value as a secret in Secrets Manager.")
	}
	return nil
}

// matchPattern holds the value against the pattern, which it must contain.
func matchPattern(p *Parameter, _ *ssm.PutParameterRequest) error {
	if p.AllowedPattern == "" {
		return nil
	}
	re, err := regexp.Compile(p.AllowedPattern)
	if err != nil {
		return fault.Because(BadPattern, fault.Invalid, "The allowed pattern is not a regular expression that can be used here: %s", p.AllowedPattern)
	}
	if !re.MatchString(p.Value.Reveal()) {
		return fault.Because(PatternMismatch, fault.Invalid, "Parameter value, cannot be validated against allowedPattern: %s", p.AllowedPattern)
	}
	return nil
}

var parameterName = regexp.MustCompile(`^[A-Za-z0-9._/-]+$`)

// nameRules are the rules of names as AWS words them.
const nameRules = ` If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_`

func checkParameterName(name string) error {
	path := ParameterPath(name)
	lower := strings.ToLower(path)
	switch {
	case path != name && path == "", strings.Contains(name, "//"), strings.HasSuffix(name, "/"), !parameterName.MatchString(name):
		return fault.New(fault.Constraint, "Parameter name: %s is not valid.%s", name, nameRules)
	case strings.Contains(path, "/") && path == name:
		return fault.New(fault.Constraint, "Parameter name must be a fully qualified name")
	case strings.HasPrefix(lower, "aws") || strings.HasPrefix(lower, "ssm"):
		return fault.New(fault.Constraint, `Parameter name: can't be prefixed with "aws" or "ssm" (case-insensitive).%s`, nameRules)
	case strings.Count(path, "/") >= maxLevels:
		return fault.Because(TooDeep, fault.Invalid, "A hierarchy can have a maximum of %d levels.", maxLevels)
	case len(name) > maxPath:
		return fault.New(fault.Constraint, "The maximum length of a parameter's name is %d characters", maxPath)
	}
	return nil
}

// text returns *s, or "" if s is nil.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// given returns *s if it is given, or else was.
func given(s *string, was string) string {
	if s == nil {
		return was
	}
	return *s
}
