package api

import (
	"slices"
	"strings"
	"testing"
)

func TestCheckerMessages(t *testing.T) {
	at := new(Path).Field("name")
	tests := []struct {
		name  string
		check func(c *Checker)
		want  string // without the prefix; "" if the value is fine
	}{
		{"a missing member", func(c *Checker) { c.Null(at) }, "Value null at 'name' failed to satisfy constraint: Member must not be null"},
		{"a string too short", func(c *Checker) { c.Length(at, "", 1, 5) }, "Value '' at 'name' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"a string too long", func(c *Checker) { c.Length(at, "abcdef", 1, 5) }, "Value 'abcdef' at 'name' failed to satisfy constraint: Member must have length less than or equal to 5"},
		{"length counts characters, not bytes", func(c *Checker) { c.Length(at, "äöüßé", 1, 5) }, ""},
		{"a string without bounds", func(c *Checker) { c.Length(at, strings.Repeat("a", 1000), -1, -1) }, ""},
		{"a list too long", func(c *Checker) { c.Count(at, 101, 1, 100) }, "Value '[101 elements]' at 'name' failed to satisfy constraint: Member must have length less than or equal to 100"},
		{"a number too small", func(c *Checker) { c.Range(at, 4, 5, 2160) }, "Value '4' at 'name' failed to satisfy constraint: Member must have value greater than or equal to 5"},
		{"a number too large", func(c *Checker) { c.Range(at, 1e9, 5, 2160) }, "Value '1000000000' at 'name' failed to satisfy constraint: Member must have value less than or equal to 2160"},
		{"an unknown value", func(c *Checker) { c.Enum(at, "X", "A", "B") }, "Value 'X' at 'name' failed to satisfy constraint: Member must satisfy enum value set: [A, B]"},
		{"a known value", func(c *Checker) { c.Enum(at, "B", "A", "B") }, ""},
		{"a pattern is held against the whole string", func(c *Checker) { c.Pattern(at, "ab\n", "a|ab") }, "Value 'ab\n' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: a|ab"},
		{"a match", func(c *Checker) { c.Pattern(at, "ab", "a|ab") }, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var c Checker
			test.check(&c)
			want := test.want
			if want != "" {
				want = "1 validation error detected: " + want
			}
			if got := c.Message(); got != want {
				t.Errorf("Message = %q, want %q", got, want)
			}
		})
	}
}

func TestSeveralFailuresAreCountedAndJoined(t *testing.T) {
	var c Checker
	c.Null(new(Path).Field("a"))
	variables := new(Path).Field("environment")
	variable := variables.Field("environmentVariables").Element(0)
	c.Enum(variable.Field("type"), "X", "PLAINTEXT")
	const want = "2 validation errors detected: Value null at 'a' failed to satisfy constraint: Member must not be null; " +
		"Value 'X' at 'environment.environmentVariables.1.member.type' failed to satisfy constraint: Member must satisfy enum value set: [PLAINTEXT]"
	if got := c.Message(); got != want {
		t.Errorf("Message = %s\nwant      %s", got, want)
	}
	failures := []Failure{{"a", "Member must not be null"}, {"environment.environmentVariables[0].type", "Member must satisfy enum value set: [PLAINTEXT]"}}
	if got := c.Failures(); !slices.Equal(got, failures) {
		t.Errorf("Failures = %q, want %q", got, failures)
	}
}

func TestALongListOfFailuresHasABoundedMessage(t *testing.T) {
	var c Checker
	for i := range 100_000 {
		c.Null(new(Path).Field("names").Element(i))
	}
	got := c.Message()
	if !strings.HasPrefix(got, "100000 validation errors detected: ") || len(got) > 20_000 {
		t.Errorf("Message has %d bytes and starts %.60s", len(got), got)
	}
}

func TestConstraintsOfAnInput(t *testing.T) {
	tests := []struct {
		name, operation string
		in              any
		want            string
	}{
		{"an empty CreateProject", "CreateProject", &CreateProjectInput{},
			"Value null at 'artifacts'; Value null at 'environment'; Value null at 'name'; Value null at 'serviceRole'; Value null at 'source'"},
		{"an element of a list inside a list", "CreateWebhook", &CreateWebhookInput{ProjectName: "p", FilterGroups: [][]WebhookFilter{{{Pattern: "x"}}}},
			"Value null at 'filterGroups.1.member.1.member.type'"},
		{"a fine StopBuild", "StopBuild", &StopBuildInput{ID: "p:1"}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var c Checker
			CodeBuild.Operations[test.operation].Check(&c, test.in)
			var got []string
			for part := range strings.SplitSeq(c.Message(), "; ") {
				_, part, _ = strings.Cut(" "+part, " Value ")
				part, _, _ = strings.Cut(part, " failed to satisfy")
				got = append(got, "Value "+part)
			}
			if have := strings.Join(got, "; "); test.want == "" && c.Message() != "" || test.want != "" && have != test.want {
				t.Errorf("Message = %s\nwant %s", c.Message(), test.want)
			}
		})
	}
}
