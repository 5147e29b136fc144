package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/runner/docker/dockertest"
)

// A dockerServer is a server whose builds have containers.
type dockerServer struct {
	*serverProcess
	engine *client.Client
}

// serveDocker starts one, with the agent as users have it: a static program.
// What stays in the engine when it has ended fails the test.
func serveDocker(t *testing.T, args ...string) *dockerServer {
	t.Helper()
	s := newDockerServer(t, args...)
	s.run()
	return s
}

func newDockerServer(t *testing.T, args ...string) *dockerServer {
	t.Helper()
	engine := dockertest.Engine(t)
	s := &dockerServer{&serverProcess{t: t, data: filepath.Join(t.TempDir(), "data"), args: args}, engine}
	t.Cleanup(s.nothingLeft)
	return s
}

// containers returns the names of those that the engine has for the server.
func (s *dockerServer) containers() []string {
	s.t.Helper()
	got, err := s.engine.ContainerList(context.WithoutCancel(s.t.Context()), client.ContainerListOptions{
		All: true, Filters: client.Filters{}.Add("label", "slipway.folder="+filepath.Join(s.data, "containers")),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	var names []string
	for _, c := range got.Items {
		names = append(names, c.Names...)
	}
	return names
}

func (s *dockerServer) nothingLeft() {
	s.t.Helper()
	if left := s.containers(); len(left) > 0 {
		s.t.Errorf("containers are left: %v", left)
	}
	for _, dir := range []string{"containers", "builds"} {
		if left, err := os.ReadDir(filepath.Join(s.data, dir)); err == nil && len(left) > 0 {
			s.t.Errorf("%d places are left in %s", len(left), dir)
		}
	}
}

// tidy waits until nothing is left of builds that have ended.
func (s *dockerServer) tidy() {
	s.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(time.Minute); ; {
		left, err := os.ReadDir(filepath.Join(s.data, "containers"))
		if err == nil && len(left) == 0 && len(s.containers()) == 0 {
			return
		}
		select {
		case <-tick.C:
		case <-end:
			return // nothingLeft says what is
		}
	}
}

// run builds once and returns the build, ended, and its log.
func (s *dockerServer) once(environment api.ProjectEnvironment, source api.ProjectSource, in api.StartBuildInput) (api.Build, string) {
	s.t.Helper()
	in.ProjectName = "p" + strconv.Itoa(int(time.Now().UnixNano()%1e9))
	s.make(in.ProjectName, environment, source)
	b := s.finished(value(call[api.StartBuildOutput](s.serverProcess, "StartBuild", &in).Build.ID))
	s.tidy()
	return b, s.log(b)
}

func (s *dockerServer) make(name string, environment api.ProjectEnvironment, source api.ProjectSource) {
	s.t.Helper()
	if environment.ComputeType == "" {
		environment.ComputeType = api.ComputeTypeBuildGeneral1Small
	}
	environment.Type = api.EnvironmentTypeLinuxContainer
	call[api.CreateProjectOutput](s.serverProcess, "CreateProject", &api.CreateProjectInput{
		Name: name, Source: &source, Environment: &environment, Artifacts: &api.ProjectArtifacts{Type: api.ArtifactsTypeNoArtifacts},
		ServiceRole: "arn:aws:iam::000000000000:role/build",
	})
}

// commands is a source with nothing but these.
func commands(all ...string) api.ProjectSource {
	spec := "version: 0.2\nphases:\n  build:\n    commands:\n"
	for _, c := range all {
		spec += "      - " + strconv.Quote(c) + "\n"
	}
	return api.ProjectSource{Type: api.SourceTypeNoSource, Buildspec: &spec}
}

// failure is what a build's last phase before the end says.
func failure(b api.Build) string {
	for _, p := range b.Phases {
		if p.PhaseStatus == api.StatusTypeSucceeded || len(p.Contexts) == 0 {
			continue
		}
		return fmt.Sprintf("%s %s %s: %s", p.PhaseType, p.PhaseStatus, value(p.Contexts[0].StatusCode), value(p.Contexts[0].Message))
	}
	return ""
}

func TestABuildInAContainer(t *testing.T) {
	p := newProvider(t)
	p.commitFiles(t, map[string]string{"recipe.txt": "basil\n", "buildspec.yml": `version: 0.2
env:
  variables: {SPEC: spec, BOTH: spec}
  exported-variables: [MADE]
phases:
  install:
    commands:
      - echo "user $(id -u) in $(pwd), home $HOME, $(hostname)"
      - echo "image $IMAGE, spec $SPEC, both $BOTH, named $NAMED"
      - cat recipe.txt
      - cd /tmp
  build:
    commands:
      - echo "still in $(pwd)"
      - export MADE=here
      - touch "$CODEBUILD_SRC_DIR/made" && mkdir -p /codebuild/own && echo "source belongs to $(stat -c %u "$CODEBUILD_SRC_DIR/recipe.txt")"
      - if [ -e /var/run/docker.sock ]; then echo "a docker socket"; fi
      - grep -r -l -s "$(printf 'ghp_%s' C4n4ry)" /codebuild /tmp /root /proc/[0-9]*/environ /proc/[0-9]*/cmdline; echo "searched"
      - "! echo changed > /codebuild/readonly/agent"
      - nslookup "$(hostname)" >/dev/null 2>&1; cat /etc/hosts | grep -c "$(hostname)"
`})
	s := serveDocker(t, "--runner", "docker")
	dockertest.Make(t, s.engine, "slipway-test/other:1", "USER other", `ENTRYPOINT ["/bin/false"]`, `CMD ["nothing"]`, "WORKDIR /nowhere", "HEALTHCHECK CMD false",
		"ENV IMAGE=busybox", "ENV BOTH=image", "ENV SPEC=image", "ENV NAMED=image", "ENV HOME=/elsewhere")
	s.command("credential", "import", "--server-type", "GITHUB_ENTERPRISE", "--token-file", secretFile(t, p.token))
	b, log := s.once(api.ProjectEnvironment{
		Image: "slipway-test/other:1", EnvironmentVariables: []api.EnvironmentVariable{{Name: "BOTH", Value: "project"}},
	}, api.ProjectSource{Type: api.SourceTypeGithubEnterprise, Location: &p.cloneURL}, api.StartBuildInput{SourceVersion: new("main")})
	if b.BuildStatus != api.StatusTypeSucceeded {
		t.Fatalf("the build ended %s: %s\n%s", b.BuildStatus, failure(b), log)
	}
	source := regexp.MustCompile(`CODEBUILD_SRC_DIR=(/codebuild/output/src\d+/src/\S+)`).FindStringSubmatch(log)
	if source == nil {
		t.Fatalf("no source directory in the log:\n%s", log)
	}
	for _, want := range []string{
		"Image slipway-test/other:1 (", "\nuser 0 in " + source[1] + ", home /root, slipway-build\n", "\nimage busybox, spec spec, both project, named image\n", "\nbasil\n",
		"\nstill in /tmp\n", "\nsource belongs to 0\n", "\nsearched\n",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the log has no %q:\n%s", want, log)
		}
	}
	for _, bad := range []string{"\na docker socket\n", "C4n4ryT0ken", "\n/proc/"} {
		if strings.Contains(log, bad) {
			t.Errorf("the log has %q:\n%s", bad, log)
		}
	}
	if e := b.ExportedEnvironmentVariables; len(e) != 1 || value(e[0].Value) != "here" {
		t.Errorf("exported %+v", e)
	}
}

// secretFile writes a token to a file that only its owner may read.
func secretFile(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestImagesThatCannotBeUsed(t *testing.T) {
	s := serveDocker(t, "--runner", "docker")
	dockertest.MakeEmpty(t, s.engine, "slipway-test/empty:1")
	for _, tt := range []struct{ name, image, want string }{
		{
			"one of CodeBuild's that nobody publishes", "aws/codebuild/standard:7.0",
			"PROVISIONING FAILED BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE: Unable to pull customer's container image. CannotPullContainerError: aws/codebuild/standard:7.0 is not published by AWS. " +
				"Whoever runs this server says which image stands for it: slipway serve --docker-image 'aws/codebuild/standard:7.0=IMAGE'",
		},
		{
			"one of no registry", "127.0.0.1:1/none:1",
			"PROVISIONING FAILED BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE: Unable to pull customer's container image. CannotPullContainerError: ",
		},
		{
			"one that is no name", "UPPER/case", "PROVISIONING FAILED BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE: Unable to pull customer's container image. CannotPullContainerError: Error response from daemon: ",
		},
		{
			"one without a shell", "slipway-test/empty:1",
			"PROVISIONING FAILED CLIENT_ERROR: Build container found dead before completing the build. Build container died because it was out of memory, or the Docker image is not supported. ErrorCode: 500 (/bin/sh cannot be run: ",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.t = t
			b, log := s.once(api.ProjectEnvironment{Image: tt.image}, commands("echo hello"), api.StartBuildInput{})
			if got := failure(b); b.BuildStatus != api.StatusTypeFailed || !strings.HasPrefix(got, tt.want) {
				t.Errorf("the build ended %s: %s\nwant %s", b.BuildStatus, got, tt.want)
			}
			if !strings.Contains(log, "Phase complete: PROVISIONING State: FAILED") || !strings.Contains(log, value(b.Phases[2].Contexts[0].Message)) {
				t.Errorf("the log does not tell:\n%s", log)
			}
		})
	}
	s.t = t
}

func TestAnImageOfARegistryWithALogin(t *testing.T) {
	s := serveDocker(t, "--runner", "docker")
	image := dockertest.Registry(t, s.engine, "1")
	login := s.secret("registry", `{"username": "`+dockertest.Username+`", "password": "`+dockertest.Password+`"}`)
	environment := func(credential string) api.ProjectEnvironment {
		return api.ProjectEnvironment{Image: image, ImagePullCredentialsType: api.ImagePullCredentialsTypeServiceRole,
			RegistryCredential: &api.RegistryCredential{Credential: credential, CredentialProvider: api.CredentialProviderTypeSecretsManager}}
	}
	b, _ := s.once(environment(login+"x"), commands("echo hello"), api.StartBuildInput{})
	if got := failure(b); b.BuildStatus != api.StatusTypeFailed || !strings.Contains(got, "the registryCredential "+login+"x cannot be read: ") {
		t.Errorf("without its secret the build ended %s: %s", b.BuildStatus, got)
	}
	b, log := s.once(environment(login), commands("echo $IMAGE"), api.StartBuildInput{})
	if b.BuildStatus != api.StatusTypeSucceeded || !strings.Contains(log, "\nbusybox\n") {
		t.Errorf("the build ended %s: %s\n%s", b.BuildStatus, failure(b), log)
	}
	if strings.Contains(log, dockertest.Password) {
		t.Errorf("the password is in the log:\n%s", log)
	}
}

func TestABuildThatUsesUpItsMemory(t *testing.T) {
	s := serveDocker(t, "--runner", "docker")
	b, log := s.once(api.ProjectEnvironment{
		Image: dockertest.Image, ComputeType: api.ComputeTypeAttributeBasedCompute, ComputeConfiguration: &api.ComputeConfiguration{Memory: new(int64(1)), VCPU: new(int64(1))},
	}, commands("echo begin", "dd if=/dev/zero of=/dev/null bs=1100M count=1"), api.StartBuildInput{})
	const want = "BUILD FAILED COMMAND_EXECUTION_ERROR: Error while executing command: dd if=/dev/zero of=/dev/null bs=1100M count=1. Reason: exit status 137. The build used up its memory of 1.0 GiB, so that a process was ended"
	if got := failure(b); b.BuildStatus != api.StatusTypeFailed || !strings.HasPrefix(got, want) {
		t.Errorf("the build ended %s: %s\nwant %s", b.BuildStatus, got, want)
	}
	if !strings.Contains(log, "The build used up its memory of 1.0 GiB") {
		t.Errorf("the log does not tell:\n%s", log)
	}
}

func TestAContainerThatIsGoneUnderItsBuild(t *testing.T) {
	s := serveDocker(t, "--runner", "docker")
	s.make("app", api.ProjectEnvironment{Image: dockertest.Image}, commands("echo started; sleep 1000", "echo never"))
	id := s.build("app")
	s.until(id, "has started", func(b api.Build) bool {
		return value(b.CurrentPhase) == "BUILD" && strings.Contains(s.log(b), "\nstarted\n")
	})
	names := s.containers()
	if len(names) != 1 {
		t.Fatalf("the containers are %v, want one", names)
	}
	if _, err := s.engine.ContainerKill(t.Context(), names[0], client.ContainerKillOptions{Signal: "KILL"}); err != nil {
		t.Fatal(err)
	}
	b := s.finished(id)
	const want = "BUILD FAILED CLIENT_ERROR: Build container found dead before completing the build. Build container died because it was out of memory, or the Docker image is not supported. ErrorCode: 500"
	if got := failure(b); b.BuildStatus != api.StatusTypeFailed || got != want {
		t.Errorf("the build ended %s: %s\nwant %s", b.BuildStatus, got, want)
	}
	if log := s.log(b); strings.Contains(log, "\nnever\n") {
		t.Errorf("the build went on:\n%s", log)
	}
	s.tidy()
}

// agentOf returns the pid of the agent of the only build that runs.
func (s *dockerServer) agentOf() int {
	s.t.Helper()
	locks, err := filepath.Glob(filepath.Join(s.data, "containers", "*", "agent.lock"))
	if err != nil || len(locks) != 1 {
		s.t.Fatalf("the agents' locks are %v, %v, want one", locks, err)
	}
	text, err := os.ReadFile(locks[0])
	if err != nil {
		s.t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		s.t.Fatal(err)
	}
	return pid
}

func TestContainersAfterAKill(t *testing.T) {
	s := serveDocker(t, "--runner", "docker")
	gate := "until [ -e /codebuild/output/go ]; do sleep 0.05; done"
	s.make("app", api.ProjectEnvironment{Image: dockertest.Image}, commands("echo started", gate, "echo passed"))
	started := func() string {
		id := s.build("app")
		s.until(id, "has started", func(b api.Build) bool {
			return value(b.CurrentPhase) == "BUILD" && strings.Contains(s.log(b), "\nstarted\n")
		})
		return id
	}
	t.Run("of the server, the build goes on with the next one", func(t *testing.T) {
		s.t = t
		id := started()
		s.kill()
		s.start()
		places, err := filepath.Glob(filepath.Join(s.data, "containers", "docker-*", "codebuild", "output"))
		if err != nil || len(places) != 1 {
			t.Fatalf("the places are %v, %v", places, err)
		}
		if err := os.WriteFile(filepath.Join(places[0], "go"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if b := s.finished(id); b.BuildStatus != api.StatusTypeSucceeded || !strings.Contains(s.log(b), "\npassed\n") {
			t.Errorf("the build ended %s: %s\n%s", b.BuildStatus, failure(b), s.log(b))
		}
		s.tidy()
		s.nothingLeft()
	})
	t.Run("of the agent, the container ends with it", func(t *testing.T) {
		s.t = t
		id := started()
		if err := syscall.Kill(s.agentOf(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if b := s.finished(id); b.BuildStatus != api.StatusTypeFault || !strings.Contains(failure(b), "agent ended before the build did") {
			t.Errorf("the build ended %s: %s", b.BuildStatus, failure(b))
		}
		s.tidy()
		s.nothingLeft()
	})
	t.Run("of both, the next server removes what is left", func(t *testing.T) {
		s.t = t
		id := started()
		agent := s.agentOf()
		s.kill()
		if err := syscall.Kill(agent, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		s.start()
		if b := s.finished(id); b.BuildStatus != api.StatusTypeFault || !strings.Contains(failure(b), "did not survive") {
			t.Errorf("the build ended %s: %s", b.BuildStatus, failure(b))
		}
		s.tidy()
		s.nothingLeft()
	})
	t.Run("and one that is stopped", func(t *testing.T) {
		s.t = t
		id := started()
		call[api.StopBuildOutput](s.serverProcess, "StopBuild", &api.StopBuildInput{ID: id})
		if b := s.finished(id); b.BuildStatus != api.StatusTypeStopped {
			t.Errorf("the build ended %s: %s", b.BuildStatus, failure(b))
		}
		s.tidy()
		s.nothingLeft()
	})
	s.t = t
}

func TestWhichBuildsHaveAContainer(t *testing.T) {
	s := serveDocker(t, "--docker-image", "aws/codebuild/standard:8.0="+dockertest.Image)
	about := own[slipway.DescribeServerOutput](t, s.client, "DescribeServer", nil)
	if about.Runner != "auto" || strings.Join(about.Runners, ",") != "docker,local" {
		t.Errorf("DescribeServer = %q, %v", about.Runner, about.Runners)
	}
	if !strings.Contains(s.printed(), "  builds  run in containers of Docker ") {
		t.Errorf("the server says %s", s.printed())
	}
	for _, tt := range []struct{ image, builtin, says string }{
		{"local", "host", ""},
		{"aws/codebuild/standard:7.0", "host", "The image aws/codebuild/standard:7.0 is CodeBuild's own and not mapped to another one (--docker-image), so the tools of this machine are used"},
		{"aws/codebuild/standard:8.0", "busybox", "Image aws/codebuild/standard:8.0 is " + dockertest.Image + " ("},
		{dockertest.Image, "busybox", "Image " + dockertest.Image + " ("},
	} {
		b, log := s.once(api.ProjectEnvironment{Image: tt.image}, commands("echo in ${IMAGE:-host}"), api.StartBuildInput{})
		if b.BuildStatus != api.StatusTypeSucceeded || !strings.Contains(log, "\nin "+tt.builtin+"\n") || !strings.Contains(log, tt.says) {
			t.Errorf("%s: the build ended %s: %s\n%s\nwant it in %s, saying %q", tt.image, b.BuildStatus, failure(b), log, tt.builtin, tt.says)
		}
	}
	said, _ := s.tries("", "doctor")
	for _, want := range []string{"docker /var/run/docker.sock: Docker ", "docker aws/codebuild/standard:8.0: It stands for " + dockertest.Image + ", which is here ("} {
		if !strings.Contains(said, want) {
			t.Errorf("doctor does not say %q:\n%s", want, said)
		}
	}
}

// A server that is not root builds as one that is: sources belong to root where
// user code is root, and what root makes is removed.
func TestAServerThatIsNotRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can start a server as another user")
	}
	socket, err := os.Stat("/var/run/docker.sock")
	if err != nil {
		t.Skip(err)
	}
	p := newProvider(t)
	p.commitFiles(t, map[string]string{"recipe.txt": "basil\n", "buildspec.yml": `version: 0.2
env: {exported-variables: [MADE]}
phases:
  build:
    commands:
      - echo "source belongs to $(stat -c %u recipe.txt), user $(id -u)"
      - mkdir -p locked/deep && touch locked/deep/file && chmod 500 locked/deep && chmod 700 .
      - umask 077; cd /tmp; export MADE=here
      - pwd
`})
	s := newDockerServer(t, "--runner", "docker")
	const nobody = 65534
	home, err := os.MkdirTemp("", "slipway-nobody-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	if err := os.Chown(home, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	s.data = filepath.Join(home, "data")
	s.as = &syscall.Credential{Uid: nobody, Gid: nobody, Groups: []uint32{socket.Sys().(*syscall.Stat_t).Gid}}
	s.run()
	s.command("credential", "import", "--server-type", "GITHUB_ENTERPRISE", "--token-file", secretFile(t, p.token))
	b, log := s.once(api.ProjectEnvironment{Image: dockertest.Image}, api.ProjectSource{Type: api.SourceTypeGithubEnterprise, Location: &p.cloneURL}, api.StartBuildInput{SourceVersion: new("main")})
	if b.BuildStatus != api.StatusTypeSucceeded || !strings.Contains(log, "\nsource belongs to 0, user 0\n") || !strings.Contains(log, "\n/tmp\n") {
		t.Errorf("the build ended %s: %s\n%s", b.BuildStatus, failure(b), log)
	}
	if e := b.ExportedEnvironmentVariables; len(e) != 1 || value(e[0].Value) != "here" {
		t.Errorf("exported %+v", e)
	}
}

func TestDockerInABuild(t *testing.T) {
	engine := dockertest.Engine(t)
	dockertest.Privileged(t, engine)
	s := serveDocker(t, "--runner", "docker", "--docker-image", "aws/codebuild/standard:7.0="+dockertest.Daemon(t, engine))
	layers := func() []string {
		got, err := engine.VolumeList(context.WithoutCancel(t.Context()), client.VolumeListOptions{Filters: client.Filters{}.Add("label", "slipway.folder="+filepath.Join(s.data, "containers"))})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, v := range got.Items {
			names = append(names, v.Name)
		}
		return names
	}
	t.Cleanup(func() {
		for _, name := range layers() {
			if _, err := engine.VolumeRemove(context.WithoutCancel(t.Context()), name, client.VolumeRemoveOptions{}); err != nil {
				t.Error(err)
			}
		}
	})
	s.make("app", api.ProjectEnvironment{Image: "aws/codebuild/standard:7.0", PrivilegedMode: new(true)}, commands(
		"if docker image inspect made:1 >/dev/null 2>&1; then echo kept from before; fi", "docker info | grep 'Storage Driver'", "tar -C /bin -c busybox | docker import - made:1",
		"docker run --rm --network none made:1 /busybox echo ran inside",
	))
	build := func() string {
		b := s.finished(value(call[api.StartBuildOutput](s.serverProcess, "StartBuild", &api.StartBuildInput{ProjectName: "app", CacheOverride: &api.ProjectCache{
			Type: api.CacheTypeLocal, Modes: []api.CacheMode{api.CacheModeLocalDockerLayerCache},
		}}).Build.ID))
		s.tidy()
		log := s.log(b)
		if b.BuildStatus != api.StatusTypeSucceeded || !strings.Contains(log, "\nran inside\n") || !strings.Contains(log, "Storage Driver: overlay2") {
			t.Errorf("the build ended %s: %s\n%s", b.BuildStatus, failure(b), log)
		}
		return log
	}
	for n, want := range []bool{false, true} {
		if got := strings.Contains(build(), "\nkept from before\n"); got != want {
			t.Errorf("build %d with a cache of layers: they were there: %t, want %t", n, got, want)
		}
	}
	if got := layers(); len(got) != 1 {
		t.Errorf("the volumes of layers are %v, want one", got)
	}
}
