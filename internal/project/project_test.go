package project

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/fault"
)

var (
	scope = arn.Scope{Account: "123456789012", Region: "us-west-2"}
	then  = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	later = then.Add(time.Hour)
)

const testRole = "arn:aws:iam::123456789012:role/service-role/codebuild"

// decoded reads a request as the wire carries it.
func decoded[T any](t testing.TB, text string) *T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return &v
}

// minimal is the least that CreateProject takes.
func minimal(t testing.TB) *api.CreateProjectInput {
	return decoded[api.CreateProjectInput](t, `{
		"name": "demo",
		"source": {"type": "GITHUB", "location": "https://github.com/o/r.git"},
		"artifacts": {"type": "NO_ARTIFACTS"},
		"environment": {"type": "LINUX_CONTAINER", "image": "aws/codebuild/standard:7.0", "computeType": "BUILD_GENERAL1_SMALL"},
		"serviceRole": "`+testRole+`"
	}`)
}

// full has a value in every member that can be sent.
const full = `{
	"name": "full_project-1",
	"description": "",
	"source": {
		"type": "GITHUB", "location": "https://github.com/o/r.git", "gitCloneDepth": 0, "buildspec": "", "reportBuildStatus": false,
		"insecureSsl": true, "sourceIdentifier": "primary", "gitSubmodulesConfig": {"fetchSubmodules": false},
		"buildStatusConfig": {"context": "ci/$CODEBUILD_BUILD_NUMBER", "targetUrl": ""},
		"auth": {"type": "CODECONNECTIONS", "resource": "arn:aws:codeconnections:us-west-2:123456789012:connection/0a1b"}
	},
	"secondarySources": [
		{"type": "S3", "location": "bucket/path/", "sourceIdentifier": "s3", "gitCloneDepth": 0, "insecureSsl": false},
		{"type": "BITBUCKET", "location": "https://somebody@bitbucket.org/ws/repo.git", "sourceIdentifier": "bb"}
	],
	"sourceVersion": "",
	"secondarySourceVersions": [{"sourceIdentifier": "bb", "sourceVersion": "refs/heads/main"}],
	"artifacts": {
		"type": "S3", "location": "bucket", "path": "", "namespaceType": "BUILD_ID", "name": "/", "packaging": "ZIP",
		"overrideArtifactName": false, "encryptionDisabled": false, "artifactIdentifier": "", "bucketOwnerAccess": "READ_ONLY"
	},
	"secondaryArtifacts": [{"type": "S3", "location": "other", "artifactIdentifier": "a", "namespaceType": "NONE", "packaging": "NONE"}],
	"cache": {"type": "S3", "location": "bucket/prefix", "modes": [], "cacheNamespace": "shared"},
	"environment": {
		"type": "LINUX_CONTAINER", "image": "registry.example/i@sha256:00", "computeType": "ATTRIBUTE_BASED_COMPUTE",
		"computeConfiguration": {"vCpu": 2, "memory": 4, "disk": 0, "machineType": "NVME", "instanceType": ""},
		"fleet": {"fleetArn": "arn:aws:codebuild:us-west-2:123456789012:fleet/f:1"},
		"environmentVariables": [{"name": "A", "value": "", "type": "PARAMETER_STORE"}, {"name": "a", "value": "$PATH", "type": "PLAINTEXT"}],
		"privilegedMode": true, "certificate": "bucket/cert.pem", "imagePullCredentialsType": "SERVICE_ROLE",
		"registryCredential": {"credential": "name", "credentialProvider": "SECRETS_MANAGER"},
		"dockerServer": {"computeType": "BUILD_GENERAL1_LARGE", "securityGroupIds": ["sg-1"], "status": {"status": "", "message": ""}}
	},
	"serviceRole": "` + testRole + `",
	"timeoutInMinutes": 5,
	"queuedTimeoutInMinutes": 5,
	"encryptionKey": "alias/mine",
	"tags": [{"key": "team", "value": ""}],
	"vpcConfig": {"vpcId": "vpc-1", "subnets": ["subnet-1"], "securityGroupIds": ["sg-1"]},
	"badgeEnabled": true,
	"logsConfig": {
		"cloudWatchLogs": {"status": "ENABLED", "groupName": "g", "streamName": ""},
		"s3Logs": {"status": "ENABLED", "location": "bucket/logs", "encryptionDisabled": false, "bucketOwnerAccess": "FULL"}
	},
	"fileSystemLocations": [{"type": "EFS", "location": "fs-1.efs.us-west-2.amazonaws.com:/d", "mountPoint": "/mnt", "identifier": "my_efs", "mountOptions": ""}],
	"buildBatchConfig": {
		"serviceRole": "` + testRole + `", "combineArtifacts": false, "timeoutInMins": 5, "batchReportMode": "REPORT_AGGREGATED_BATCH",
		"restrictions": {"maximumBuildsAllowed": 1, "computeTypesAllowed": [], "fleetsAllowed": []}
	},
	"concurrentBuildLimit": 1,
	"autoRetryLimit": 0
}`

func TestAMinimalProjectIsFilledWithDefaults(t *testing.T) {
	p, err := New(scope, minimal(t), then)
	if err != nil {
		t.Fatal(err)
	}
	want := `{
		"arn": "arn:aws:codebuild:us-west-2:123456789012:project/demo",
		"artifacts": {"type": "NO_ARTIFACTS"},
		"badge": {"badgeEnabled": false},
		"cache": {"type": "NO_CACHE"},
		"created": 1795435200, "lastModified": 1795435200,
		"encryptionKey": "arn:aws:kms:us-west-2:123456789012:alias/aws/s3",
		"environment": {
			"type": "LINUX_CONTAINER", "image": "aws/codebuild/standard:7.0", "computeType": "BUILD_GENERAL1_SMALL",
			"environmentVariables": [], "imagePullCredentialsType": "CODEBUILD", "privilegedMode": false
		},
		"name": "demo",
		"queuedTimeoutInMinutes": 480, "timeoutInMinutes": 60,
		"secondaryArtifacts": [], "secondarySources": [], "tags": [],
		"serviceRole": "` + testRole + `",
		"source": {"type": "GITHUB", "location": "https://github.com/o/r.git", "insecureSsl": false}
	}`
	if d := cmp.Diff(tree(t, want), tree(t, encoded(t, p.Public))); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

func TestS3ArtifactsAndVariablesAreFilled(t *testing.T) {
	in := minimal(t)
	in.Artifacts = &api.ProjectArtifacts{Type: "S3", Location: new("b")}
	in.SecondaryArtifacts = []api.ProjectArtifacts{{Type: "S3", Location: new("b"), ArtifactIdentifier: new("a")}}
	in.Environment.EnvironmentVariables = []api.EnvironmentVariable{{Name: "A", Value: "1"}}
	before := encoded(t, in)
	p, err := New(scope, in, then)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(&api.ProjectArtifacts{Type: "S3", Location: new("b"), Name: new("demo"), NamespaceType: "NONE", Packaging: "NONE"}, p.Public.Artifacts); d != "" {
		t.Errorf("artifacts: -want +got\n%s", d)
	}
	if d := cmp.Diff([]api.ProjectArtifacts{{Type: "S3", Location: new("b"), ArtifactIdentifier: new("a"), NamespaceType: "NONE", Packaging: "NONE"}}, p.Public.SecondaryArtifacts); d != "" {
		t.Errorf("secondaryArtifacts: -want +got\n%s", d)
	}
	if got := p.Public.Environment.EnvironmentVariables[0].Type; got != "PLAINTEXT" {
		t.Errorf("variable type = %q, want PLAINTEXT", got)
	}
	if after := encoded(t, in); after != before {
		t.Errorf("New changed its input from\n%s\nto\n%s", before, after)
	}
}

// A project with something in every member comes back as it was sent, through
// New, through Update, and through JSON as the store keeps it.
func TestEveryMemberRoundTrips(t *testing.T) {
	in := decoded[api.CreateProjectInput](t, full)
	missing(t, "CreateProjectInput", reflect.ValueOf(*in))
	created, err := New(scope, in, then)
	if err != nil {
		t.Fatal(err)
	}
	sent := tree(t, full)
	sent["badge"] = map[string]any{"badgeEnabled": true}
	delete(sent, "badgeEnabled")
	sent["arn"] = "arn:aws:codebuild:us-west-2:123456789012:project/full_project-1"
	sent["created"], sent["lastModified"] = float64(then.Unix()), float64(then.Unix())
	if d := cmp.Diff(sent, tree(t, encoded(t, created.Public))); d != "" {
		t.Errorf("New: -sent +got\n%s", d)
	}

	small := minimal(t)
	small.Name = "full_project-1"
	other, err := New(scope, small, then)
	if err != nil {
		t.Fatal(err)
	}
	updated, err := Update(other, decoded[api.UpdateProjectInput](t, full), later)
	if err != nil {
		t.Fatal(err)
	}
	sent["lastModified"] = float64(later.Unix())
	if d := cmp.Diff(sent, tree(t, encoded(t, updated.Public))); d != "" {
		t.Errorf("Update: -sent +got\n%s", d)
	}

	stored := *decoded[api.Project](t, encoded(t, updated.Public))
	if d := cmp.Diff(updated.Public, stored); d != "" {
		t.Errorf("JSON: -before +after\n%s", d)
	}
}

// missing fails for every member in v, at any depth, that has no value.
func missing(t *testing.T, at string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			t.Errorf("the full project has no %s", at)
			return
		}
		if v.Elem().Kind() != reflect.String { // an empty string is something, too
			missing(t, at, v.Elem())
		}
	case reflect.Slice:
		if v.IsNil() {
			t.Errorf("the full project has no %s", at)
		}
		if v.Len() > 0 && at != "CreateProjectInput.SecondarySources" && at != "CreateProjectInput.SecondaryArtifacts" {
			missing(t, at, v.Index(0))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			missing(t, at+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case reflect.String:
		if v.IsZero() && !strings.HasSuffix(at, ".Value") {
			t.Errorf("the full project has no %s", at)
		}
	}
}

func TestUpdateKeepsReplacesAndRemoves(t *testing.T) {
	start, err := New(scope, decoded[api.CreateProjectInput](t, full), then)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, in, want string }{
		{"nothing given changes nothing", `{}`, `{}`},
		{"an empty description is kept as such", `{"description": ""}`, `{"description": ""}`},
		{"a structure is replaced whole", `{"cache": {"type": "NO_CACHE"}}`, `{"cache": {"type": "NO_CACHE"}}`},
		{"a source loses what is not given again", `{"source": {"type": "GITHUB", "location": "https://github.com/o/r"}}`,
			`{"source": {"type": "GITHUB", "location": "https://github.com/o/r", "insecureSsl": false}}`},
		{"empty lists clear", `{"secondarySources": [], "secondarySourceVersions": [], "secondaryArtifacts": [], "fileSystemLocations": [], "tags": []}`,
			`{"secondarySources": [], "secondarySourceVersions": [], "secondaryArtifacts": [], "fileSystemLocations": [], "tags": []}`},
		{"empty structures remove", `{"vpcConfig": {}, "buildBatchConfig": {}}`, `{"vpcConfig": null, "buildBatchConfig": null}`},
		{"a VPC of empty members is none", `{"vpcConfig": {"vpcId": "", "subnets": [], "securityGroupIds": []}}`, `{"vpcConfig": null}`},
		{"-1 removes the limit", `{"concurrentBuildLimit": -1}`, `{"concurrentBuildLimit": null}`},
		{"the badge goes off", `{"badgeEnabled": false}`, `{"badge": {"badgeEnabled": false}}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := encoded(t, start.Public)
			p, err := Update(start, decoded[api.UpdateProjectInput](t, test.in), later)
			if err != nil {
				t.Fatal(err)
			}
			if after := encoded(t, start.Public); after != before {
				t.Errorf("Update changed the project it was given to %s", after)
			}
			want := tree(t, before)
			want["lastModified"] = float64(later.Unix())
			for k, v := range tree(t, test.want) {
				if want[k] = v; v == nil {
					delete(want, k)
				}
			}
			if d := cmp.Diff(want, tree(t, encoded(t, p.Public))); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
		})
	}
}

func TestAFleetWithoutARNIsNone(t *testing.T) {
	for _, f := range []*api.ProjectFleet{{}, {FleetARN: new("")}} {
		in := minimal(t)
		in.Environment.Fleet = f
		p, err := New(scope, in, then)
		if err != nil || p.Public.Environment.Fleet != nil {
			t.Errorf("fleet = %v, %v; want none", p.Public.Environment.Fleet, err)
		}
	}
}

// fromGet is what a client sends back when it changes nothing of what it read.
func fromGet(t testing.TB, p Project) *api.UpdateProjectInput {
	in := decoded[api.UpdateProjectInput](t, encoded(t, p.Public))
	in.BadgeEnabled = p.Public.Badge.BadgeEnabled
	return in
}

func TestUpdatingIsIdempotent(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		created, err := New(scope, anyCreate(t, r), then)
		if err != nil {
			r.Fatal(err)
		}
		same, err := Update(created, fromGet(t, created), later)
		if err != nil {
			r.Fatalf("Update with what was read: %v", err)
		}
		same.Public.LastModified = created.Public.LastModified
		if d := cmp.Diff(created.Public, same.Public); d != "" {
			r.Fatalf("Update with what was read: -before +after\n%s", d)
		}
		in := decoded[api.UpdateProjectInput](t, encoded(t, anyCreate(t, r)))
		once, err := Update(created, in, later)
		if err != nil {
			return // what stayed and what came do not go together
		}
		twice, err := Update(once, in, later)
		if err != nil {
			r.Fatalf("the same Update again: %v", err)
		}
		if d := cmp.Diff(once, twice); d != "" {
			r.Fatalf("the same Update again: -once +twice\n%s", d)
		}
	})
}

// anyCreate is the full project with some members left out and some changed.
func anyCreate(t testing.TB, r *rapid.T) *api.CreateProjectInput {
	m := tree(t, full)
	for _, k := range []string{
		"description", "secondarySources", "sourceVersion", "secondarySourceVersions", "secondaryArtifacts", "cache", "timeoutInMinutes", "queuedTimeoutInMinutes",
		"encryptionKey", "tags", "vpcConfig", "badgeEnabled", "logsConfig", "fileSystemLocations", "buildBatchConfig", "concurrentBuildLimit", "autoRetryLimit",
	} {
		if rapid.Bool().Draw(r, "no "+k) {
			delete(m, k)
		}
	}
	pick := func(k string, values ...string) {
		if v := rapid.SampledFrom(append(values, "")).Draw(r, k); v != "" {
			m[k] = tree(t, `{"v":`+v+`}`)["v"]
		}
	}
	pick("source", `{"type":"NO_SOURCE","location":"","buildspec":"version: 0.2"}`, `{"type":"S3","location":"bucket/k.zip"}`,
		`{"type":"GITHUB","location":"git@github.com:o/r.git","gitCloneDepth":25}`)
	pick("artifacts", `{"type":"NO_ARTIFACTS","location":""}`, `{"type":"S3","location":"b"}`)
	if rapid.Bool().Draw(r, "pipeline") {
		m["source"], m["artifacts"] = map[string]any{"type": "CODEPIPELINE"}, map[string]any{"type": "CODEPIPELINE", "encryptionDisabled": false}
	}
	pick("environment", `{"type":"LINUX_CONTAINER","image":"i","computeType":"BUILD_GENERAL1_SMALL","fleet":{"fleetArn":""},"environmentVariables":[{"name":"x","value":"y"}]}`)
	pick("vpcConfig", `{}`)
	pick("buildBatchConfig", `{}`)
	pick("cache", `{"type":"NO_CACHE","location":""}`, `{"type":"LOCAL","modes":["LOCAL_CUSTOM_CACHE"]}`)
	if rapid.Bool().Draw(r, "text") {
		m["description"] = rapid.StringN(0, maxDescription, -1).Draw(r, "description")
	}
	if m["secondarySources"] == nil {
		delete(m, "secondarySourceVersions")
	}
	if m["environment"].(map[string]any)["privilegedMode"] == nil {
		delete(m, "fileSystemLocations")
	}
	if m["source"].(map[string]any)["type"] != "GITHUB" {
		delete(m, "badgeEnabled")
	}
	return decoded[api.CreateProjectInput](t, encoded(t, m))
}

func TestCheckingAHostileProjectIsQuickAndCalm(t *testing.T) {
	in := minimal(t)
	for range 10_000 {
		in.SecondarySources = append(in.SecondarySources, *in.Source)
		in.SecondaryArtifacts = append(in.SecondaryArtifacts, *in.Artifacts)
		in.SecondarySourceVersions = append(in.SecondarySourceVersions, api.ProjectSourceVersion{})
		in.Environment.EnvironmentVariables = append(in.Environment.EnvironmentVariables, api.EnvironmentVariable{Name: "A"})
		in.FileSystemLocations = append(in.FileSystemLocations, api.ProjectFileSystemLocation{})
		in.Tags = append(in.Tags, api.Tag{})
	}
	if _, err := New(scope, in, then); fault.KindOf(err) != fault.Invalid {
		t.Errorf("New = %v, want Invalid", err)
	}
	for _, in := range []*api.CreateProjectInput{{}, {Name: "demo"}, {Name: "demo", Source: &api.ProjectSource{Type: "NO_SOURCE"}}} {
		if _, err := New(scope, in, then); fault.KindOf(err) != fault.Invalid {
			t.Errorf("New(%+v) = %v, want Invalid", in, err)
		}
	}
}

func encoded(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func tree(t testing.TB, text string) map[string]any {
	t.Helper()
	return *decoded[map[string]any](t, text)
}
