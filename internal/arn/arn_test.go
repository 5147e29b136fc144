package arn_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"slipway/internal/arn"
)

var here = arn.Scope{Account: "123456789012", Region: "us-west-2"}

func TestNamesOfResources(t *testing.T) {
	for want, got := range map[string]string{
		"arn:aws:codebuild:us-west-2:123456789012:project/app":                             here.Project("app"),
		"arn:aws:codebuild:us-west-2:123456789012:build/app:0b1f6c9e":                      here.Build("app:0b1f6c9e"),
		"arn:aws:codebuild:us-west-2:123456789012:report-group/app-unit":                   here.ReportGroup("app-unit"),
		"arn:aws:codebuild:us-west-2:123456789012:report/app-unit:0b1f":                    here.Report("app-unit", "0b1f"),
		"arn:aws:codebuild:us-west-2:123456789012:token/github_enterprise":                 here.Token("GITHUB_ENTERPRISE"),
		"arn:aws:logs:us-west-2:123456789012:log-group:/aws/codebuild/app":                 here.LogGroup("/aws/codebuild/app"),
		"arn:aws:logs:us-west-2:123456789012:log-group:/aws/codebuild/app:log-stream:0b1f": here.LogStream("/aws/codebuild/app", "0b1f"),
		"arn:aws:iam:us-west-2:123456789012:role/service-role/builder":                     here.Of("iam", "role/service-role/builder"),
	} {
		if got != want {
			t.Errorf("the name is %s, want %s", got, want)
		}
	}
}

func TestTheRegionGivesThePartition(t *testing.T) {
	for region, want := range map[string]string{
		"us-east-1": "aws", "eu-central-1": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov", "ca-central-1": "aws", "": "aws",
	} {
		a, ok := arn.Parse(arn.Scope{Account: "123456789012", Region: region}.Project("app"))
		if !ok || a.Partition != want {
			t.Errorf("the partition of %q is %q (%t), want %q", region, a.Partition, ok, want)
		}
	}
}

func TestParseSplitsANameIntoItsParts(t *testing.T) {
	for text, want := range map[string]arn.ARN{
		"arn:aws:codebuild:us-west-2:123456789012:build/app:0b1f": {Partition: "aws", Service: "codebuild", Region: "us-west-2", Account: "123456789012", Resource: "build/app:0b1f"},
		"arn:aws:s3:::bucket/key":                                 {Partition: "aws", Service: "s3", Resource: "bucket/key"},
		"arn:aws:iam::123456789012:root":                          {Partition: "aws", Service: "iam", Account: "123456789012", Resource: "root"},
		"arn:aws-cn:logs:cn-north-1:123456789012:log-group:a:*":   {Partition: "aws-cn", Service: "logs", Region: "cn-north-1", Account: "123456789012", Resource: "log-group:a:*"},
		"arn:p:s::::": {Partition: "p", Service: "s", Resource: ":"},
	} {
		if got, ok := arn.Parse(text); !ok || got != want {
			t.Errorf("Parse(%q), %t:\n%s", text, ok, cmp.Diff(want, got))
		}
	}
}

// hostile are texts that are no ARN, though some look like one.
var hostile = []string{
	"", ":", "arn", "arn:", ":::::", "arn:::::", "arn:aws:codebuild:us-west-2:123456789012", "arn:aws:codebuild:us-west-2:123456789012:",
	"arn::codebuild:us-west-2:123456789012:project/app", "arn:aws::us-west-2:123456789012:project/app", "ARN:aws:codebuild:us-west-2:123456789012:project/app",
	" arn:aws:codebuild:us-west-2:123456789012:project/app", "urn:aws:codebuild:us-west-2:123456789012:project/app", "ghp_0123456789",
	"arn:aws:codebuild\x00", "\xff:\xff:\xff:\xff:\xff:\xff", strings.Repeat("arn", 1<<16), "arn" + strings.Repeat("/", 5) + "x",
}

func TestATextThatIsNoARNIsRefused(t *testing.T) {
	for _, text := range hostile {
		if got, ok := arn.Parse(text); ok || got != (arn.ARN{}) {
			t.Errorf("Parse(%.60q) = %+v, %t, want nothing", text, got, ok)
		}
	}
}

// However a name is made, Parse gives its parts back: colons and slashes in
// the resource are the resource's.
func TestWhatOfJoinsParseSplits(t *testing.T) {
	part := rapid.StringMatching(`[^:]*`)
	rapid.Check(t, func(t *rapid.T) {
		s := arn.Scope{Account: part.Draw(t, "account"), Region: part.Draw(t, "region")}
		service, resource := rapid.StringMatching(`[^:]+`).Draw(t, "service"), rapid.StringN(1, -1, -1).Draw(t, "resource")
		got, ok := arn.Parse(s.Of(service, resource))
		want := arn.ARN{Partition: got.Partition, Service: service, Region: s.Region, Account: s.Account, Resource: resource}
		if !ok || got != want {
			t.Errorf("Parse(%q), %t:\n%s", s.Of(service, resource), ok, cmp.Diff(want, got))
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(here.Build("app:0b1f"))
	for _, text := range hostile[:len(hostile)-2] {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, ok := arn.Parse(text)
		if !ok && a != (arn.ARN{}) {
			t.Errorf("Parse(%q) = %+v though it is no ARN", text, a)
		}
		if joined := strings.Join([]string{"arn", a.Partition, a.Service, a.Region, a.Account, a.Resource}, ":"); ok && joined != text {
			t.Errorf("the parts of %q make %q", text, joined)
		}
		if name, ok := here.Local("project", text); ok && name != text {
			whole, _ := arn.Parse(here.Project(name))
			if a.Partition = whole.Partition; a != whole || name == "" {
				t.Errorf("Local(%q) = %q, which is %s", text, name, here.Project(name))
			}
		}
	})
}

func TestLocalTakesANameOrAnARNOfThisScope(t *testing.T) {
	for _, c := range []struct {
		resourceType, text, want string
		ok                       bool
	}{
		{"project", "app", "app", true},
		{"project", "project/app", "project/app", true}, // a plain name, if an odd one
		{"build", "app:0b1f", "app:0b1f", true},
		{"project", here.Project("app"), "app", true},
		{"build", here.Build("app:0b1f"), "app:0b1f", true},
		{"project", here.Project("a/b"), "a/b", true},
		{"project", "", "", false},
		{"project", here.Project(""), "", false},
		{"project", here.Build("app:0b1f"), "", false},
		{"build", here.Project("app"), "", false},
		{"project", here.Of("codebuild", "project"), "", false},
		{"project", here.Of("codebuild", "projects/app"), "", false},
		{"project", here.Of("codebuild", "project:app"), "", false},
		{"project", here.Of("codepipeline", "project/app"), "", false},
		{"project", arn.Scope{Account: "210987654321", Region: here.Region}.Project("app"), "", false},
		{"project", arn.Scope{Account: here.Account, Region: "us-east-1"}.Project("app"), "", false},
		{"project", "arn:", "", false},
		{"project", "arn:aws:codebuild", "", false},
	} {
		if got, ok := here.Local(c.resourceType, c.text); got != c.want || ok != c.ok {
			t.Errorf("Local(%s, %q) = %q, %t, want %q, %t", c.resourceType, c.text, got, ok, c.want, c.ok)
		}
	}
}
