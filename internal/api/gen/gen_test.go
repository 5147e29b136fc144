package main

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the generated files")

// directives returns the arguments of each go:generate line of package api.
func directives(t *testing.T) []map[string]string {
	t.Helper()
	text, err := os.ReadFile("../api.go")
	if err != nil {
		t.Fatal(err)
	}
	var all []map[string]string
	for _, line := range regexp.MustCompile(`(?m)^//go:generate go run \./gen (.*)$`).FindAllStringSubmatch(string(text), -1) {
		words := strings.Fields(line[1])
		arguments := map[string]string{}
		for i := 0; i+1 < len(words); i += 2 {
			arguments[words[i]] = words[i+1]
		}
		all = append(all, arguments)
	}
	models, err := filepath.Glob("../model/*.json")
	if err != nil || len(all) != len(models) || len(all) == 0 {
		t.Fatalf("%d go:generate lines for %d models (%v)", len(all), len(models), err)
	}
	return all
}

func TestCommittedCodeIsWhatTheModelsGenerate(t *testing.T) {
	for _, d := range directives(t) {
		t.Run(d["-package"], func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("..", d["-model"]))
			if err != nil {
				t.Fatal(err)
			}
			want, err := Generate(text, d["-package"])
			if err != nil {
				t.Fatal(err)
			}
			again, err := Generate(text, d["-package"])
			if err != nil || string(again) != string(want) {
				t.Errorf("the same model gives two outputs (%v)", err)
			}
			golden(t, d["-out"], want)
			if client := d["-typescript"]; client != "" {
				if want, err = TypeScript(text); err != nil {
					t.Fatal(err)
				}
				golden(t, client, want)
			}
		})
	}
}

// golden holds a committed file against what is generated.
func golden(t *testing.T, file string, want []byte) {
	t.Helper()
	path := filepath.Join("..", file)
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s is stale: run go generate ./internal/api/\n%s", file, cmp.Diff(string(got), string(want)))
	}
}

// A pattern that Go cannot compile would end the server at the first request
// it is held against.
func TestPatternsOfInputsCompile(t *testing.T) {
	found := 0
	for _, d := range directives(t) {
		text, err := os.ReadFile(filepath.Join("..", d["-model"]))
		if err != nil {
			t.Fatal(err)
		}
		var m model
		if err := json.Unmarshal(text, &m); err != nil {
			t.Fatal(err)
		}
		uses := usage(&m)
		for name, s := range m.Shapes {
			if s.Pattern == "" || !uses[name].input {
				continue
			}
			found++
			if _, err := regexp.Compile("^(?:" + s.Pattern + ")$"); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if found == 0 {
		t.Error("no input of the models has a pattern")
	}
}

func TestGoName(t *testing.T) {
	names := map[string]string{
		"arn": "ARN", "id": "ID", "name": "Name", "cloudWatchLogsArn": "CloudWatchLogsARN", "vpcConfig": "VPCConfig", "vpcId": "VPCID",
		"securityGroupIds": "SecurityGroupIDs", "insecureSsl": "InsecureSSL", "MD5sum": "MD5sum", "md5sum": "Md5sum", "projectArns": "ProjectARNs",
		"s3Logs": "S3Logs", "payloadUrl": "PayloadURL", "reportARN": "ReportARN", "UserId": "UserID", "kmsKeyId": "KMSKeyID", "encryptionKey": "EncryptionKey",
		"idempotencyToken": "IdempotencyToken", "ids": "IDs", "artifactIdentifier": "ArtifactIdentifier", "fileSystemLocations": "FileSystemLocations",
	}
	for member, want := range names {
		if got := goName(member); got != want {
			t.Errorf("goName(%s) = %s, want %s", member, got, want)
		}
	}
}

func TestEnumName(t *testing.T) {
	names := map[string]string{
		"PRE_BUILD": "PreBuild", "GITHUB_ENTERPRISE": "GithubEnterprise", "SUCCEEDED": "Succeeded", "pending": "Pending",
		"BUILD_GENERAL1_SMALL": "BuildGeneral1Small", "python-3.9": "Python39", "GITLAB_SELF_MANAGED": "GitlabSelfManaged",
	}
	for value, want := range names {
		if got := enumName(value); got != want {
			t.Errorf("enumName(%s) = %s, want %s", value, got, want)
		}
	}
}

func TestGenerateRefusesWhatItDoesNotKnow(t *testing.T) {
	if _, err := Generate([]byte("{"), "api"); err == nil {
		t.Error("half a model is no error")
	}
	if _, err := Generate([]byte(`{"shapes":{"S":{"type":"structure","members":{"a b":{"shape":"T"}}},"T":{"type":"string"}},"operations":{"O":{"input":{"shape":"S"},"output":{"shape":"S"}}}}`), "x"); err == nil {
		t.Error("a member that is no Go name is no error")
	}
}
