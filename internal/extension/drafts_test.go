package extension

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/fault"
	"slipway/internal/project"
)

// rules are the project's own, without a store.
type rules struct{}

func (rules) CreateFaults(_ context.Context, in *api.CreateProjectInput) ([]project.Fault, error) {
	p, _ := project.New(scope, in, time.Unix(1700000000, 0))
	return p.Faults(), nil
}

func (rules) UpdateFaults(_ context.Context, in *api.UpdateProjectInput) ([]project.Fault, error) {
	if in.Name == "broken" {
		return nil, fault.New(fault.Unavailable, "not now")
	}
	return []project.Fault{{Member: "name", Message: "Project cannot be found"}}, nil
}

func findings(t *testing.T, in *slipway.CheckProjectInput) string {
	t.Helper()
	out, err := NewDrafts(rules{}).CheckProject(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if out.Findings == nil {
		t.Error("no list of findings")
	}
	var b strings.Builder
	for _, f := range out.Findings {
		fmt.Fprintf(&b, "%s %s: %s\n", f.Level, f.Member, f.Message)
	}
	return b.String()
}

const goodProject = `{"name": "demo", "serviceRole": "arn:aws:iam::123456789012:role/r", "artifacts": {"type": "NO_ARTIFACTS"},
	"environment": {"type": "LINUX_CONTAINER", "image": "i", "computeType": "BUILD_GENERAL1_SMALL"}, "source": %s}`

func TestCheckProject(t *testing.T) {
	const source = `{"type": "GITHUB", "location": "https://github.com/o/r"}`
	quoted := func(text string) string { b, _ := json.Marshal(text); return string(b) }
	for _, c := range []struct{ name, request, want string }{
		{"a good one", fmt.Sprintf(goodProject, source), ""},
		{"members that are missing are told of once", `{"source": {"location": "x"}}`,
			"ERROR artifacts: Member must not be null\nERROR environment: Member must not be null\nERROR name: Member must not be null\nERROR serviceRole: Member must not be null\nERROR source.type: Member must not be null\n"},
		{"a constraint and a rule", strings.Replace(fmt.Sprintf(goodProject, source), `"LINUX_CONTAINER", "image": "i"`, `"LINUX", "image": "i", "environmentVariables": [{"name": "A", "value": ""}, {"name": "CODEBUILD_A", "value": ""}]`, 1),
			"ERROR environment.type: Member must satisfy enum value set: [WINDOWS_CONTAINER, LINUX_CONTAINER, LINUX_GPU_CONTAINER, ARM_CONTAINER, WINDOWS_SERVER_2019_CONTAINER, WINDOWS_SERVER_2022_CONTAINER, LINUX_LAMBDA_CONTAINER, ARM_LAMBDA_CONTAINER, LINUX_EC2, ARM_EC2, WINDOWS_EC2, MAC_ARM]\n" +
				"ERROR environment.environmentVariables[1].name: No user environment variables can start with CODEBUILD_\n"},
		{"an inline buildspec", fmt.Sprintf(goodProject, `{"type": "NO_SOURCE", "buildspec": `+quoted("version: 0.2\nphases:\n  build:\n    commands: {make: }\n")+`}`),
			"WARNING source.buildspec: Line 4: cannot unmarshal !!map into []string: a list is expected here, each entry in a line of its own behind '- '\n"},
		{"no buildspec and no source", fmt.Sprintf(goodProject, `{"type": "NO_SOURCE"}`),
			"WARNING source.buildspec: A project without a source needs its buildspec inline: there is no file to read it from, so that its builds fail.\n"},
		{"no JSON", "{\n  \"name\": 'x'\n}", "ERROR : This is no JSON from line 2, column 11 on: invalid character '\\'' looking for beginning of value.\n"},
		{"nothing but space", "  ", "ERROR : This is no JSON from line 1, column 2 on: unexpected end of JSON input.\n"},
		{"a list", "[]", "ERROR : The request must be a JSON object, in braces, as --cli-input-json takes it.\n"},
		{"a wrong type", "{\"name\": \"a\",\n \"source\": {\"gitCloneDepth\": \"hunter2\"}}", "ERROR source.gitCloneDepth: The value that ends at line 2, column 38 must be a whole number.\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := findings(t, &slipway.CheckProjectInput{Request: c.request}); got != c.want {
				t.Errorf("findings\n%swant\n%s", got, c.want)
			}
		})
	}
	if got := findings(t, &slipway.CheckProjectInput{Request: `{"name": "demo"}`, Update: true}); got != "ERROR name: Project cannot be found\n" {
		t.Errorf("an update has the findings %s", got)
	}
	if _, err := NewDrafts(rules{}).CheckProject(t.Context(), &slipway.CheckProjectInput{Request: `{"name": "broken"}`, Update: true}); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a broken store: %v", err)
	}
}

func FuzzCheckProject(f *testing.F) {
	f.Add(fmt.Sprintf(goodProject, `{"type": "NO_SOURCE", "buildspec": "a: b\nc"}`), false)
	f.Add(`{"name": "x", "tags": [{}], "environment": {}, "artifacts": {}, "cache": {}, "vpcConfig": {}}`, false)
	f.Add("{\n\"name\": 1}", true)
	f.Add("\u2028[", true)
	f.Fuzz(func(t *testing.T, request string, update bool) {
		out, err := NewDrafts(rules{}).CheckProject(t.Context(), &slipway.CheckProjectInput{Request: request, Update: update})
		if err != nil && fault.KindOf(err) != fault.Unavailable {
			t.Fatal(err)
		}
		if err == nil && len(out.Findings) > 300 {
			t.Errorf("%d findings", len(out.Findings))
		}
	})
}

// What is odd about any block of an inline buildspec reaches the form.
func TestCheckProjectLooksIntoEveryBlock(t *testing.T) {
	spec, err := json.Marshal("version: 0.2\nenv: {variables: {PATH: $PATH}}\nphases: {build: {commands: [make]}}\nreports: {unit: {files: [a], file-format: junit}}\nartifacts:\n  files: [./a]\ncache:\n  paths: [node_modules]\nproxy: {log: yes}\nbatch: {build-list: [{identifier: a-b}]}\n")
	if err != nil {
		t.Fatal(err)
	}
	got := findings(t, &slipway.CheckProjectInput{Request: fmt.Sprintf(goodProject, `{"type": "NO_SOURCE", "buildspec": `+string(spec)+`}`)})
	for _, want := range []string{
		"Line 2: PATH becomes exactly this text", "Line 4: No report can be read of the format \"junit\". Did you mean JUNITXML?", "Line 6: Files are looked for below base-directory",
		"Line 8: CodeBuild keeps nothing of a directory that is named alone", "Line 9: The key \"log\" is unknown in proxy and ignored: did you mean logs?", "Line 10: A batch build of this fails: Build Identifiers a-b must",
	} {
		if !strings.Contains(got, "WARNING source.buildspec: "+want) {
			t.Errorf("no finding that begins %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "ERROR") {
		t.Errorf("it is refused:\n%s", got)
	}
}

func TestLintBuildspec(t *testing.T) {
	out, err := NewDrafts(rules{}).LintBuildspec(t.Context(), &slipway.LintBuildspecInput{Buildspec: "version: 0.2\nphase:\n  a: b\nphases:\n  build:\n    commands: {make: }\n"})
	if err != nil || len(out.Findings) != 2 {
		t.Fatalf("LintBuildspec = %+v, %v", out, err)
	}
	want := slipway.LintFinding{Level: "WARNING", Line: 2, Column: 1, EndLine: 2, EndColumn: 6, Message: `The key "phase" is unknown here and ignored: did you mean phases?`}
	if out.Findings[0] != want || out.Findings[1].Level != "ERROR" || out.Findings[1].Line != 6 {
		t.Errorf("findings %+v", out.Findings)
	}
	if out, err := NewDrafts(rules{}).LintBuildspec(t.Context(), &slipway.LintBuildspecInput{Buildspec: strings.Repeat("x", 2<<20)}); err != nil || len(out.Findings) != 1 {
		t.Errorf("a long one: %v, %v", out, err)
	}
}
