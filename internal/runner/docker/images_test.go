package docker

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/moby/api/types/jsonstream"

	"slipway/internal/api"
	"slipway/internal/runner"
)

func TestWhatANameMeans(t *testing.T) {
	for _, tt := range []struct {
		entries string // separated by blanks
		name    string
		want    string // empty means a failure
	}{
		{"", "alpine", "docker.io/library/alpine:latest"},
		{"", "golang:1.26", "docker.io/library/golang:1.26"},
		{"", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/tool:3", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/tool:3"},
		{"", "a@sha256:" + strings.Repeat("0", 64), "docker.io/library/a@sha256:" + strings.Repeat("0", 64)},
		{"", "aws/codebuild/amazonlinux-x86_64-standard:5.0", "public.ecr.aws/codebuild/amazonlinux-x86_64-standard:5.0"},
		{"", "aws/codebuild/amazonlinux2-aarch64-standard:3.0", "public.ecr.aws/codebuild/amazonlinux2-aarch64-standard:3.0"},
		{"", "aws/codebuild/standard:7.0", ""},
		{"", "aws/codebuild/windows-base:2019-3.0", ""},
		{"", "no such name", ""},
		{"", "UPPER", ""},
		{"*=my/default", "aws/codebuild/standard:7.0", "docker.io/my/default:latest"},
		{"*=my/default", "aws/codebuild/amazonlinux-x86_64-standard:5.0", "docker.io/my/default:latest"},
		{"*=my/default", "alpine:3", "docker.io/library/alpine:3"},
		{"aws/codebuild/standard:7.0=one:1 *=two:2", "aws/codebuild/standard:7.0", "docker.io/library/one:1"},
		{"aws/codebuild/standard:7.0=one:1 *=two:2", "aws/codebuild/standard:7.0-22.07.01", "docker.io/library/two:2"},
		{"aws/codebuild/standard:*=one:* aws/codebuild/*=two:2", "aws/codebuild/standard:7.0", "docker.io/library/one:7.0"},
		{"aws/codebuild/*=two:2 aws/codebuild/standard:*=one:*", "aws/codebuild/standard:7.0", "docker.io/library/one:7.0"},
		{"aws/codebuild/*=two:2 aws/codebuild/*=three:3", "aws/codebuild/standard:7.0", "docker.io/library/three:3"},
		{"alpine:3=mirror.example.com/alpine:3", "alpine:3", "mirror.example.com/alpine:3"},
		{"aws/codebuild/standard:7.0=one:1", "aws/codebuild/standard:7.01", ""},
	} {
		m, err := ParseImages(strings.Fields(tt.entries))
		if err != nil {
			t.Fatalf("ParseImages(%s): %v", tt.entries, err)
		}
		got, err := m.Resolve(tt.name)
		if tt.want == "" {
			f, ok := errors.AsType[*runner.Failure](err)
			if !ok || f.Code != "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE" || !strings.HasPrefix(f.Message, "Unable to pull customer's container image. CannotPullContainerError: ") {
				t.Errorf("%s with %s: %v, %v, want a failure", tt.name, tt.entries, got, err)
			}
			continue
		}
		if err != nil || got.String() != tt.want {
			t.Errorf("%s with %s = %v, %v, want %s", tt.name, tt.entries, got, err, tt.want)
		}
	}
}

func TestMappingsThatAreNone(t *testing.T) {
	for _, text := range []string{"", "=", "a", "a=", "=b", "a*b=c", "**=c", "a=b*", "a*=b**", "a=UPPER", "a=b c"} {
		if m, err := ParseImages([]string{text}); err == nil {
			t.Errorf("ParseImages(%q) = %+v, want an error", text, m)
		}
	}
}

func TestReadImages(t *testing.T) {
	got, err := ReadImages(strings.NewReader("# ours\n\naws/codebuild/standard:7.0 = build:7 # until 2027\n*=other\n"))
	if diff := cmp.Diff([]string{"aws/codebuild/standard:7.0 = build:7", "*=other"}, got); diff != "" || err != nil {
		t.Errorf("ReadImages: %v (-want +got):\n%s", err, diff)
	}
}

// Whatever a project names, it is an image or a failure of its own.
func FuzzResolve(f *testing.F) {
	f.Add("aws/codebuild/*=one:*", "aws/codebuild/standard:7.0")
	f.Fuzz(func(t *testing.T, entry, name string) {
		m, err := ParseImages([]string{entry})
		if err != nil {
			return
		}
		ref, err := m.Resolve(name)
		if _, ok := errors.AsType[*runner.Failure](err); err != nil && !ok || err == nil && ref.String() == "" {
			t.Errorf("Resolve(%q) = %v, %v", name, ref, err)
		}
	})
}

func TestLimits(t *testing.T) {
	machine := &Info{Processors: 8, Memory: 64 << 30}
	for _, tt := range []struct {
		launch    runner.Launch
		cpus, gib int64
	}{
		{runner.Launch{ComputeType: "BUILD_GENERAL1_SMALL"}, 2, 4},
		{runner.Launch{ComputeType: "BUILD_GENERAL1_MEDIUM"}, 4, 8},
		{runner.Launch{ComputeType: "BUILD_GENERAL1_LARGE"}, 0, 16}, // all processors there are
		{runner.Launch{ComputeType: "BUILD_GENERAL1_XLARGE"}, 0, 0},
		{runner.Launch{ComputeType: "BUILD_LAMBDA_2GB"}, 0, 2},
		{runner.Launch{ComputeType: "ATTRIBUTE_BASED_COMPUTE", Compute: &api.ComputeConfiguration{VCPU: new(int64(3)), Memory: new(int64(6))}}, 3, 6},
		{runner.Launch{ComputeType: "ATTRIBUTE_BASED_COMPUTE", Compute: &api.ComputeConfiguration{VCPU: new(int64(-1)), Memory: new(int64(1 << 62))}}, 0, 0},
		{runner.Launch{ComputeType: "CUSTOM_INSTANCE_TYPE"}, 0, 0},
		{runner.Launch{}, 0, 0},
	} {
		cpus, memory := machine.limits(tt.launch)
		if cpus != tt.cpus*1e9 || memory != tt.gib<<30 {
			t.Errorf("%s: %d nanoCPUs, %d bytes, want %d processors, %d GiB", tt.launch.ComputeType, cpus, memory, tt.cpus, tt.gib)
		}
	}
}

func TestHowFarAPullIs(t *testing.T) {
	p := newProgress()
	for _, step := range []struct {
		id, status     string
		current, total int64
		want           string
	}{
		{"", "Pulling from library/x", 0, 0, ""},
		{"a", "Pulling fs layer", 0, 0, ""},
		{"a", "Downloading", 1_000_000, 100_000_000, "1 of 100 MB"},
		{"b", "Downloading", 20_000_000, 240_400_000, "21 of 341 MB"},
		{"b", "Verifying Checksum", 0, 0, "241 of 341 MB"},
		{"c", "Already exists", 0, 0, "241 of 341 MB"},
		{"a", "Download complete", 0, 0, "340 of 341 MB"},
		{"a", "Extracting", 5, 100, "unpacking 341 MB"},
		{"a", "Pull complete", 0, 0, "340 of 341 MB"},
		{"d", "Downloading", 10, -1, "340 of 341 MB"}, // a registry that does not say how much
	} {
		p.add(jsonstream.Message{ID: step.id, Status: step.status, Progress: &jsonstream.Progress{Current: step.current, Total: step.total}})
		if got := p.String(); got != step.want {
			t.Errorf("after %s %s: %q, want %q", step.id, step.status, got, step.want)
		}
	}
}

func TestWhatALogSaysOfItsImage(t *testing.T) {
	i := Image{"my/image:1", "sha256:0123456789abcdef0123456789abcdef"}
	for name, want := range map[string]string{"my/image:1": "Image my/image:1 (0123456789ab)", "aws/codebuild/standard:7.0": "Image aws/codebuild/standard:7.0 is my/image:1 (0123456789ab)"} {
		if got := i.note(name); got != want {
			t.Errorf("note = %q, want %q", got, want)
		}
	}
}

func TestStatic(t *testing.T) {
	for _, command := range [][]string{nil, {"/no/such/file"}, {"/etc/passwd"}, {"/bin/ls"}} {
		if got, err := static(command); err == nil {
			t.Errorf("static(%v) = %v, want an error", command, got)
		}
	}
	if got, err := static([]string{"/bin/busybox", "agent"}); err != nil || len(got) != 2 {
		t.Errorf("static(busybox) = %v, %v", got, err)
	}
}
