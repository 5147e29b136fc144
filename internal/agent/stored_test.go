package agent_test

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/fault"
	"slipway/internal/secret"
)

// A bucket holds objects by what they are to a build.
type bucket struct {
	agentapi.Backend // for what no test asks of it

	objects map[string]string // by kind, identifier and path, with slashes between
	version string            // of every object
}

func (b bucket) Get(_ context.Context, id string, got secret.Text, o agentapi.Object) (io.ReadCloser, agentapi.ObjectInfo, error) {
	text, ok := b.objects[string(o.Kind)+"/"+o.Identifier+"/"+o.Path]
	switch {
	case id != buildID || got.Reveal() != token:
		return nil, agentapi.ObjectInfo{}, fault.New(fault.Denied, "bad token")
	case text == "denied":
		return nil, agentapi.ObjectInfo{}, fault.New(fault.Invalid, "The bucket is not open to this server.")
	case !ok:
		return nil, agentapi.ObjectInfo{}, fault.New(fault.NotFound, "NoSuchKey: The specified key does not exist.")
	}
	return io.NopCloser(strings.NewReader(text)), agentapi.ObjectInfo{Size: int64(len(text)), Version: b.version}, nil
}

// holding gives the server objects.
func holding(b bucket) func(*agentProcess) { return func(a *agentProcess) { a.server.Backend = b } }

func archived(t *testing.T, files map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range files {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate}
		h.SetMode(0o755)
		f, err := z.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestABuildOfSourcesInS3(t *testing.T) {
	inBoth(t, func(t *testing.T, box agentapi.Sandbox) {
		work := agentapi.Work{
			Source:           agentapi.Source{Type: api.SourceTypeS3, Location: "bucket/app.zip"},
			SecondarySources: []agentapi.Source{{Type: api.SourceTypeS3, Identifier: "lib", Location: "bucket/lib.zip", Version: "v1"}},
		}
		a, log := run(t, box, work, holding(bucket{version: "v1", objects: map[string]string{
			"source//": archived(t, map[string]string{
				"buildspec.yml": "version: 0.2\nphases:\n  build:\n    commands:\n      - ./bin/say \"[$CODEBUILD_SOURCE_VERSION]\" \"[${CODEBUILD_RESOLVED_SOURCE_VERSION-unset}]\" \"[${CODEBUILD_SOURCE_VERSION_lib-the server says}]\"\n      - cat $CODEBUILD_SRC_DIR_lib/lib.txt\n",
				"bin/say":       "#!/bin/sh\necho said \"$@\"\n",
			}),
			"source/lib/": archived(t, map[string]string{"lib.txt": "the library\n"}),
		}}))
		if got := a.status(); got != api.StatusTypeSucceeded {
			t.Fatalf("status = %s; the log:\n%s", got, log)
		}
		for _, want := range []string{"said [v1] [unset] [the server says]\n", "the library\n", "/buildspec.yml\n"} {
			if !strings.Contains(log, want) {
				t.Errorf("the log lacks %q:\n%s", want, log)
			}
		}
	})
}

func TestASourceInS3ThatIsNotThere(t *testing.T) {
	source := agentapi.Source{Type: api.SourceTypeS3, Location: "bucket/dir/app.zip", Version: "v7"}
	a, _ := run(t, agentapi.Sandbox{}, agentapi.Work{Source: source}, holding(bucket{}))
	code, message := a.context(api.BuildPhaseTypeDownloadSource)
	want := "error while downloading key dir/app.zip, error: NoSuchKey: The specified key does not exist. for primary source and source version v7: "
	if code != "CLIENT_ERROR" || !strings.HasPrefix(message, want) {
		t.Errorf("context = %s %q, want CLIENT_ERROR %q…", code, message, want)
	}
}

func TestABuildspecInS3(t *testing.T) {
	const at = "arn:aws:s3:::bucket/specs/buildspec.yml"
	for _, c := range []struct {
		name, text    string
		code, message string // of DOWNLOAD_SOURCE; the message's beginning
		log           string // a part of it
	}{
		{"is read", "version: 0.2\nphases:\n  build:\n    commands:\n      - echo from afar\n", "", "", "\nfrom afar\n"},
		{"is shown where inline ones are", "version: 0.2\nphases:\n  build:\n    commands:\n      - cat $OLDPWD/buildspec.yml\n", "", "", "\n      - cat $OLDPWD/buildspec.yml\n"},
		{"is not YAML", "version: 0.2\n\tx", "YAML_FILE_ERROR", "", "YAML location is /codebuild/readonly/buildspec.yml\n"},
		{"is not there", "", "CLIENT_ERROR", "error while downloading buildspec " + at + ", error: NoSuchKey: The specified key does not exist. Check the project's buildspec", ""},
		{"is not given", "denied", "CLIENT_ERROR", "error while downloading buildspec " + at + ": The bucket is not open to this server.", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			objects := map[string]string{}
			if c.text != "" {
				objects["buildspec//"] = c.text
			}
			work := inline(at)
			a, log := run(t, agentapi.Sandbox{}, work, holding(bucket{objects: objects}))
			code, message := a.context(api.BuildPhaseTypeDownloadSource)
			if code != c.code || !strings.HasPrefix(message, c.message) {
				t.Errorf("context = %s %q, want %s %q…", code, message, c.code, c.message)
			}
			if log = a.steady(log); !strings.Contains(log, c.log) {
				t.Errorf("the log lacks %q:\n%s", c.log, log)
			}
		})
	}
}
