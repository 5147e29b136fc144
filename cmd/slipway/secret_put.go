package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	smapi "slipway/internal/api/secretsmanager"
	"slipway/internal/api/slipway"
	ssmapi "slipway/internal/api/ssm"
	"slipway/internal/secret"
)

// putOptions is the command line of secret put.
type putOptions struct {
	target
	parameter   bool
	typ         string
	file        string
	description string
}

func secretPutCommand() *cobra.Command {
	var o putOptions
	cmd := &cobra.Command{
		Use:   "put NAME",
		Short: "Keep a value: make a secret, or give it a new value",
		Long: `Keep a value under a name: make a secret or, with --parameter, a parameter, or give
one that is there a new value. The value before stays a version of it.

The value comes from standard input or a file, and at a terminal you are asked for
it. A line end after a single line is left out; a text of several lines and bytes
are kept as they are.

In a buildspec it is then

    env:
      secrets-manager:
        PASSWORD: app/db:password     # the key password of a JSON object
      parameter-store:
        TOKEN: /app/token

Exit codes: 0 it is kept, 1 it failed, 2 the command line is wrong.`,
		Example: `  slipway secret put app/db < db.json
  slipway secret put --parameter /app/token --file token.txt`,
		Args: oneName("put"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return err
			}
			switch typ := ssmapi.ParameterType(o.typ); {
			case o.typ != "" && !o.parameter:
				return usagef("--type is for parameters: give --parameter, too")
			case o.parameter && o.typ != "" && typ != ssmapi.ParameterTypeString && typ != ssmapi.ParameterTypeStringList && typ != ssmapi.ParameterTypeSecureString:
				return usagef("--type %q: expected String, StringList or SecureString", o.typ)
			}
			content, err := readValue(o.file, cmd.InOrStdin(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			put := o.putSecret
			if o.parameter {
				put = o.putParameter
			}
			k, err := put(cmd.Context(), args[0], content)
			if err != nil {
				return err
			}
			return o.answer(cmd.OutOrStdout(), k, k.print)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.parameter, "parameter", false, "a parameter of the Parameter Store, not a secret of Secrets Manager")
	f.StringVar(&o.typ, "type", "", "of a parameter: String, StringList or SecureString (default SecureString, or what it is already)")
	f.StringVar(&o.file, "file", "-", "file with the value, or - for standard input")
	f.StringVar(&o.description, "description", "", "what it is for; without, what was said before stays")
	o.flags(cmd)
	return cmd
}

// about is the description, if one is given.
func (o *putOptions) about() *string {
	if o.description == "" {
		return nil
	}
	return &o.description
}

// kept is what secret put answers.
type kept struct {
	Kind    slipway.SecretKind `json:"kind"`
	Name    string             `json:"name"`
	ARN     string             `json:"arn,omitzero"` // of a secret
	Version string             `json:"version"`
	Created bool               `json:"created"` // there was none of this name
}

func (k kept) print(w io.Writer) {
	what := strings.ToLower(string(k.Kind))
	if !k.Created {
		fmt.Fprintf(w, "The %s %s has a new value.\n", what, k.Name)
		return
	}
	fmt.Fprintf(w, "Made the %s %s.\n", what, k.Name)
	if k.ARN != "" {
		fmt.Fprintf(w, "  arn  %s\n", k.ARN)
	}
}

func (o *putOptions) putParameter(ctx context.Context, name string, content []byte) (kept, error) {
	if !utf8.Valid(content) {
		return kept{}, errors.New("the value is bytes and no text, which a parameter cannot be: leave --parameter out to keep it as a secret")
	}
	in := &ssmapi.PutParameterRequest{Name: name, Value: secret.New(string(content)), Type: ssmapi.ParameterType(o.typ), Overwrite: new(true), Description: o.about(), Tier: ssmapi.ParameterTierIntelligentTiering}
	if in.Type == "" { // one that is there keeps its type
		var there ssmapi.DescribeParametersResult
		byName := []ssmapi.ParameterStringFilter{{Key: "Name", Values: []string{name}}}
		if err := o.callService(ctx, ssmapi.Definition, "DescribeParameters", &ssmapi.DescribeParametersRequest{ParameterFilters: byName}, &there); err != nil {
			return kept{}, err
		}
		if len(there.Parameters) == 0 {
			in.Type = ssmapi.ParameterTypeSecureString
		}
	}
	var out ssmapi.PutParameterResult
	err := o.callService(ctx, ssmapi.Definition, "PutParameter", in, &out)
	version := value(out.Version)
	return kept{Kind: slipway.SecretKindParameter, Name: name, Version: strconv.FormatInt(version, 10), Created: version == 1}, err
}

func (o *putOptions) putSecret(ctx context.Context, name string, content []byte) (kept, error) {
	text, binary := secret.New(string(content)), secret.Text{}
	if !utf8.Valid(content) {
		text, binary = secret.Text{}, secret.New(base64.StdEncoding.EncodeToString(content))
	}
	var out smapi.UpdateSecretResponse
	created := false
	err := o.callService(ctx, smapi.Definition, "UpdateSecret", &smapi.UpdateSecretRequest{SecretID: name, SecretString: text, SecretBinary: binary, Description: o.about()}, &out)
	if named(err, "ResourceNotFoundException") {
		created = true
		err = o.callService(ctx, smapi.Definition, "CreateSecret", &smapi.CreateSecretRequest{Name: name, SecretString: text, SecretBinary: binary, Description: o.about()}, &out)
	}
	if named(err, "InvalidRequestException") {
		err = fmt.Errorf("%w Take that back with 'aws secretsmanager restore-secret --secret-id %s', or remove it at once with 'slipway secret rm --force %s'", err, name, name)
	}
	return kept{slipway.SecretKindSecret, value(out.Name), value(out.ARN), value(out.VersionID), created}, err
}

// maxValue bounds what is read of a file that is said to hold a value: more than
// a secret may have is refused by the server, which says how much.
const maxValue = 128 << 10

// readValue reads a value from a file or stdin. A person at a terminal is asked
// for it on prompt.
func readValue(name string, stdin io.Reader, prompt io.Writer) ([]byte, error) {
	if f, ok := stdin.(*os.File); name == "-" && ok && term.IsTerminal(int(f.Fd())) { //nolint:gosec // a descriptor
		fmt.Fprint(prompt, "Value: ")
		text, err := term.ReadPassword(int(f.Fd())) //nolint:gosec // a descriptor
		fmt.Fprintln(prompt)
		if err == nil && len(text) == 0 {
			err = errors.New("no value was given")
		}
		return text, err
	}
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		stdin = f
	}
	text, err := io.ReadAll(io.LimitReader(stdin, maxValue+1))
	if err != nil {
		return nil, err
	}
	if line := bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r")); !bytes.ContainsAny(line, "\r\n") {
		text = line
	}
	switch {
	case len(text) > maxValue:
		return nil, errors.New("what --file names is too long for a secret: 64 KiB is the most")
	case len(text) == 0:
		return nil, errors.New("what --file names is empty: write the value into it")
	}
	return text, nil
}
