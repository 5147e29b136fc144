package vault

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"slipway/internal/api/ssm"
	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/seal"
	"slipway/internal/secret"
)

var (
	scope = arn.Scope{Account: "000000000000", Region: "us-east-1"}
	noon  = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
)

const ada = "arn:aws:iam::000000000000:user/ada"

func put(name, value string) *ssm.PutParameterRequest {
	return &ssm.PutParameterRequest{Name: name, Value: secret.New(value), Type: ssm.ParameterTypeString}
}

func over(in *ssm.PutParameterRequest) *ssm.PutParameterRequest {
	in.Overwrite = new(true)
	return in
}

func TestAParameterHasVersions(t *testing.T) {
	in := put("/app/db", "one")
	in.Type, in.Description, in.Tags = ssm.ParameterTypeSecureString, new("the database"), []ssm.Tag{{Key: "team", Value: "shop"}}
	first, err := NewParameter(scope, in, nil, ada, noon)
	if err != nil {
		t.Fatal(err)
	}
	if first.Version != 1 || first.Tier != ssm.ParameterTierStandard || first.KeyID != "alias/aws/ssm" || first.DataType != "text" ||
		first.ARN() != "arn:aws:ssm:us-east-1:000000000000:parameter/app/db" || len(first.Tags) != 1 || !first.Modified.Equal(noon) || first.ModifiedBy != ada {
		t.Errorf("the first version is %+v", first.ParameterAbout)
	}
	second, err := NewParameter(scope, over(&ssm.PutParameterRequest{Name: "app/db", Value: secret.New("two")}), &first.ParameterAbout, ada, noon.Add(time.Hour))
	if err == nil {
		t.Errorf("a name without its slash is taken: %+v", second)
	}
	second, err = NewParameter(scope, over(&ssm.PutParameterRequest{Name: "/app/db", Value: secret.New("two")}), &first.ParameterAbout, ada, noon.Add(time.Hour))
	if err != nil || second.Version != 2 || second.Type != ssm.ParameterTypeSecureString || second.Description != "the database" || len(second.Tags) != 1 || second.Value.Reveal() != "two" {
		t.Errorf("the second version is %+v, %v", second.ParameterAbout, err)
	}

	keys, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := second.Sealed(keys)
	if err != nil || strings.Contains(fmt.Sprintf("%s %+v", sealed.Box, second), "two") {
		t.Errorf("the sealed value is %q, %v; printed it is %+v", sealed.Box, err, second)
	}
	if opened, err := sealed.Open(keys); err != nil || opened.Value.Reveal() != "two" {
		t.Errorf("opened it is %q, %v", opened.Value.Reveal(), err)
	}
	moved := sealed
	moved.Version = 1
	if _, err := moved.Open(keys); err == nil {
		t.Error("the value of one version opens as another's")
	}
	moved = sealed
	moved.Scope.Account = "111111111111"
	if _, err := moved.Open(keys); err == nil {
		t.Error("the value opens in another account")
	}
}

func TestWhatIsNoParameter(t *testing.T) {
	old := ParameterAbout{Scope: scope, Name: "/app/db", Version: 3, Type: ssm.ParameterTypeString, DataType: "text", Tier: ssm.ParameterTierAdvanced}
	with := func(in *ssm.PutParameterRequest, change func(*ssm.PutParameterRequest)) *ssm.PutParameterRequest {
		change(in)
		return in
	}
	long := strings.Repeat("x", 4097)
	var tags []ssm.Tag
	for i := range 51 {
		tags = append(tags, ssm.Tag{Key: fmt.Sprint(i)})
	}
	for name, c := range map[string]struct {
		in     *ssm.PutParameterRequest
		old    *ParameterAbout
		kind   fault.Kind
		reason fault.Reason
		want   string
	}{
		"taken":                  {put("/app/db", "hunter22"), &old, fault.Exists, "", "The parameter already exists. To overwrite this value, set the overwrite option in the request to true."},
		"a path without a slash": {put("app/db", "hunter22"), nil, fault.Constraint, "", "Parameter name must be a fully qualified name"},
		"a name of AWS":          {put("/AWS/x", "hunter22"), nil, fault.Constraint, "", `can't be prefixed with "aws" or "ssm"`},
		"a name that is none":    {put("a b", "hunter22"), nil, fault.Constraint, "", "is not valid"},
		"nothing but a slash":    {put("/", "hunter22"), nil, fault.Constraint, "", "is not valid"},
		"an empty level":         {put("/a//b", "hunter22"), nil, fault.Constraint, "", "is not valid"},
		"too deep":               {put(strings.Repeat("/a", 16), "hunter22"), nil, fault.Invalid, TooDeep, "maximum of 15 levels"},
		"no value":               {put("/a", ""), nil, fault.Constraint, "", "length greater than or equal to 1"},
		"a NUL":                  {put("/a", "a\x00b"), nil, fault.Constraint, "", "without NUL"},
		"no type":                {with(put("/a", "hunter22"), func(in *ssm.PutParameterRequest) { in.Type = "" }), nil, fault.Constraint, "", "A parameter type is required when you create a parameter."},
		"a key for no secret":    {with(put("/a", "hunter22"), func(in *ssm.PutParameterRequest) { in.KeyID = new("alias/x") }), nil, fault.Constraint, "", "KeyId is required for SecureString"},
		"too long":               {put("/a", long), nil, fault.Constraint, "", "maximum parameter value of 4096"},
		"far too long": {with(put("/a", long+long), func(in *ssm.PutParameterRequest) { in.Tier = ssm.ParameterTierIntelligentTiering }), nil, fault.Constraint, "",
			"maximum parameter value of 8192"},
		"a step down":       {over(with(put("/app/db", "hunter22"), func(in *ssm.PutParameterRequest) { in.Tier = ssm.ParameterTierStandard })), &old, fault.Constraint, "", "You can't downgrade"},
		"tags over others":  {over(with(put("/app/db", "hunter22"), func(in *ssm.PutParameterRequest) { in.Tags = tags[:1] })), &old, fault.Constraint, "", "tags and overwrite can't be used together"},
		"too many tags":     {with(put("/a", "hunter22"), func(in *ssm.PutParameterRequest) { in.Tags = tags }), nil, fault.Invalid, TooManyTags, "at most 50 tags"},
		"a tag of AWS":      {with(put("/a", "hunter22"), func(in *ssm.PutParameterRequest) { in.Tags = []ssm.Tag{{Key: "AWS:x"}} }), nil, fault.Invalid, "", "reserved"},
		"policies":          {with(put("/a", "hunter22"), func(in *ssm.PutParameterRequest) { in.Policies = new(`[{"Type":"Expiration"}]`) }), nil, fault.Constraint, "", "policies are not supported"},
		"no pattern":        {with(put("/a", "hunter22"), func(in *ssm.PutParameterRequest) { in.AllowedPattern = new("(") }), nil, fault.Invalid, BadPattern, "not a regular expression"},
		"another pattern":   {with(put("/a", "hunter22"), func(in *ssm.PutParameterRequest) { in.AllowedPattern = new(`^\d+$`) }), nil, fault.Invalid, PatternMismatch, `Parameter value, cannot be validated against allowedPattern: ^\d+$`},
		"another data type": {with(put("/a", "hunter22"), func(in *ssm.PutParameterRequest) { in.DataType = new("Text") }), nil, fault.Constraint, "", "data type is not supported: Text"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewParameter(scope, c.in, c.old, ada, noon)
			if fault.KindOf(err) != c.kind || fault.ReasonOf(err) != c.reason || !strings.Contains(fault.Message(err), c.want) {
				t.Errorf("%v of kind %d for %q, want %q of kind %d for %q", err, fault.KindOf(err), fault.ReasonOf(err), c.want, c.kind, c.reason)
			}
			if err != nil && strings.Contains(err.Error(), "hunter22") {
				t.Errorf("the value is in %v", err)
			}
		})
	}
	long8 := with(put("/a", long), func(in *ssm.PutParameterRequest) { in.Tier = ssm.ParameterTierIntelligentTiering })
	if p, err := NewParameter(scope, long8, nil, ada, noon); err != nil || p.Tier != ssm.ParameterTierAdvanced {
		t.Errorf("intelligent tiering made it %s, %v", p.Tier, err)
	}
	if p, err := NewParameter(scope, over(put("/app/db", long)), &old, ada, noon); err != nil || p.Tier != ssm.ParameterTierAdvanced || p.Version != 4 {
		t.Errorf("an advanced parameter became %s, version %d, %v", p.Tier, p.Version, err)
	}
}

func TestParameterNamesThatAreRead(t *testing.T) {
	for text, want := range map[string]struct {
		name, selector string
		version        int64
		ok             bool
	}{
		"/app/db": {"/app/db", "", 0, true},
		"db:3":    {"db", ":3", 3, true},
		"db:prod": {"db", ":prod", 0, true},
		"db:-1":   {"db", ":-1", 0, true},
		"arn:aws:ssm:us-east-1:000000000000:parameter/app/db":   {"/app/db", "", 0, true},
		"arn:aws:ssm:us-east-1:000000000000:parameter/app/db:2": {"/app/db", ":2", 2, true},
		"arn:aws:ssm:eu-west-1:000000000000:parameter/app/db":   {},
		"arn:aws:ssm:us-east-1:111111111111:parameter/app/db":   {},
		"arn:aws:s3:us-east-1:000000000000:parameter/app/db":    {},
		"":  {},
		"/": {name: "/"},
	} {
		name, selector, version, ok := ParseParameterName(scope, text)
		if name != want.name || selector != want.selector || version != want.version || ok != want.ok {
			t.Errorf("ParseParameterName(%q) = %q, %q, %d, %v, want %+v", text, name, selector, version, ok, want)
		}
	}
}
