package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"slipway/internal/api"
	"slipway/internal/buildspec"
	"slipway/internal/secret"
	"slipway/internal/solo"
)

// variables are those of the command line: flags beat files, later ones
// earlier ones, and all of them what is given.
func (o *runOptions) variables(given [][2]string) ([]api.EnvironmentVariable, error) {
	values := map[string]string{}
	var names []string
	set := func(name, value string) {
		if _, ok := values[name]; !ok {
			names = append(names, name)
		}
		values[name] = value
	}
	for _, v := range given {
		set(v[0], v[1])
	}
	for _, path := range o.envFile {
		if err := readEnvFile(path, set); err != nil {
			return nil, err
		}
	}
	for _, text := range o.env {
		name, value, ok := strings.Cut(text, "=")
		if !ok {
			if value, ok = os.LookupEnv(name); !ok {
				return nil, usagef("--env %s: it is not set here; write --env %s=VALUE", name, name)
			}
		}
		if name == "" {
			return nil, usagef("--env needs NAME=VALUE")
		}
		set(name, value)
	}
	var out []api.EnvironmentVariable
	for _, name := range names {
		out = append(out, api.EnvironmentVariable{Name: name, Value: values[name], Type: api.EnvironmentVariableTypePlaintext})
	}
	return out, nil
}

// readEnvFile reads NAME=VALUE lines as the local agent of AWS does: empty
// lines and those that begin with # say nothing, quotes are kept.
func readEnvFile(path string, set func(name, value string)) error {
	f, err := os.Open(path)
	if err != nil {
		return usagef("--env-file: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimRight(lines.Text(), "\r")
		if trimmed := strings.TrimSpace(text); trimmed == "" || trimmed[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(text, "=")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return usagef("%s:%d: NAME=VALUE is expected", path, n) // the line itself may hold a secret
		}
		set(name, value)
	}
	if err := lines.Err(); err != nil {
		return usagef("%s: %w", path, err)
	}
	return nil
}

// maxSecret is how long a secret of the command line may be, in bytes.
const maxSecret = 64 << 10

// secrets are those of the command line, of which later ones beat earlier ones,
// and all of them what is given. Spec is the buildspec, nil if it cannot be read.
func (o *runOptions) secrets(given []solo.Secret, spec *buildspec.Spec) ([]solo.Secret, error) {
	all := slices.Clone(given)
	for _, text := range o.secret {
		name, from, ok := strings.Cut(text, "=")
		kind, place, hasKind := strings.Cut(from, ":")
		if !ok || name == "" || !hasKind || place == "" || kind != "env" && kind != "file" {
			// What was written may be the value itself: it is not repeated.
			return nil, usagef("--secret needs NAME=env:VARIABLE or NAME=file:PATH: a value in the command line could be read by every user of this machine")
		}
		value, err := secretFrom(kind, place)
		if err != nil {
			return nil, usagef("--secret %s: %w", name, err)
		}
		all = slices.DeleteFunc(all, func(s solo.Secret) bool { return s.Name == name })
		all = append(all, solo.Secret{Name: name, Value: secret.New(value)})
	}
	if spec != nil {
		for _, v := range slices.Concat(spec.Parameters, spec.Secrets) {
			if i := slices.IndexFunc(all, func(s solo.Secret) bool { return s.Name == v.Name }); i >= 0 {
				all[i].Referred = true
			}
		}
	}
	return all, nil
}

// secretFrom reads a value. The line end of a file is not part of it.
func secretFrom(kind, place string) (string, error) {
	if kind == "env" {
		value, ok := os.LookupEnv(place)
		if !ok || value == "" {
			return "", fmt.Errorf("the variable %s is not set here, or empty: export it, or name a file with file:PATH", place)
		}
		return value, nil
	}
	f, err := os.Open(place)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	switch value := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r"); {
	case err != nil:
		return "", err
	case len(text) > maxSecret:
		return "", fmt.Errorf("%s has more than %d bytes", place, maxSecret)
	case value == "":
		return "", errors.New(place + " is empty")
	default:
		return value, nil
	}
}
