package main

import (
	"context"

	"slipway/internal/api"
	smapi "slipway/internal/api/secretsmanager"
	ssmapi "slipway/internal/api/ssm"
	"slipway/internal/secret"
)

// feastSpec takes secrets and leaves artifacts, a cache and reports.
const feastSpec = `version: 0.2
env:
  secrets-manager:
    CELLAR: kitchen/cellar:key
  parameter-store:
    TABLE: /kitchen/table
phases:
  build:
    commands:
      - mkdir -p out/menu larder && echo salt > larder/salt
      - echo '<h1>Feast</h1>' > out/index.html && echo soup > out/menu/monday.txt && echo stew > out/menu/tuesday.txt
      - |
        cat >TEST-soup.xml <<END
        <testsuites><testsuite name="soup" tests="4"><testcase classname="Soup" name="is hot" time="0.25"/>
        <testcase classname="Soup" name="is not too salty" time="0.5"><failure message="too salty">at kitchen/soup.go:7</failure></testcase>
        <testcase classname="Soup" name="is served" time="0.1"/><testcase classname="Soup" name="is cold"><skipped/></testcase></testsuite></testsuites>
        END
      - |
        cat >coverage.xml <<END
        <coverage><packages><package name="kitchen"><classes><class name="Soup" filename="kitchen/soup.py"><lines>
        <line number="1" hits="3"/><line number="2" hits="0"/><line number="3" hits="1" branch="true" condition-coverage="50% (1/2)"/></lines></class>
        <class name="Stew" filename="kitchen/stew.py"><lines><line number="9" hits="0"/></lines></class></classes></package></packages></coverage>
        END
artifacts:
  base-directory: out
  files: ['**/*']
cache:
  paths: [larder/**/*]
reports:
  unit:
    files: [TEST-*.xml]
  cover:
    files: [coverage.xml]
    file-format: COBERTURAXML
`

// feast builds twice what has all that builds can have.
func (s *stage) feast(ctx context.Context) error {
	made := &smapi.CreateSecretRequest{Name: "kitchen/cellar", SecretString: secret.New(`{"key":"below-the-stairs"}`), Description: new("Key of the cellar")}
	if err := s.client.Call(ctx, smapi.Definition, "CreateSecret", made, nil); err != nil {
		return err
	}
	put := &ssmapi.PutParameterRequest{Name: "/kitchen/table", Value: secret.New("beside-the-oven"), Type: "SecureString"}
	if err := s.client.Call(ctx, ssmapi.Definition, "PutParameter", put, nil); err != nil {
		return err
	}
	spec := feastSpec
	_, err := call[api.CreateProjectOutput](ctx, s, "CreateProject", &api.CreateProjectInput{
		Name: "feast", Source: &api.ProjectSource{Type: api.SourceTypeNoSource, Buildspec: &spec},
		Artifacts:   &api.ProjectArtifacts{Type: api.ArtifactsTypeS3, Location: new("pantry"), Packaging: api.ArtifactPackagingZip, NamespaceType: api.ArtifactNamespaceBuildId, Name: new("feast.zip")},
		Cache:       &api.ProjectCache{Type: api.CacheTypeLocal, Modes: []api.CacheMode{api.CacheModeLocalCustomCache}},
		Environment: &api.ProjectEnvironment{Type: api.EnvironmentTypeLinuxContainer, Image: "local", ComputeType: api.ComputeTypeBuildGeneral1Small},
		ServiceRole: "arn:aws:iam::000000000000:role/build",
	})
	for range 2 {
		if err == nil {
			_, err = s.start(ctx, "feast")
		}
	}
	return err
}
