package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/secret"
)

// importOptions is the command line of credential import.
type importOptions struct {
	target
	in          slipway.ImportCredentialInput
	serverType  string
	authType    string
	tokenFile   string
	hosts       []string
	owner       string
	repository  string
	caFile      string
	expires     string
	noOverwrite bool
}

func credentialImportCommand() *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use:   "import --server-type TYPE --token-file FILE",
		Short: "Import an access token, and see at once what it can do",
		Long: `Import an access token of a source provider, and see at once what it is and can do.

Without --name it is the account's default for its server type, the one that
'aws codebuild import-source-credentials' sets. With --name there may be as many
as you like, each for the hosts, owners and repositories that --host, --owner and
--repository name: * stands for any text, and the most specific one wins.

The token comes from a file or, with --token-file -, from standard input: on a
command line others could read it. A token that the provider refuses is stored
all the same, unless the server runs with --credential-check=strict.

    slipway credential import --server-type GITHUB --token-file token.txt
    slipway credential import --name acme --server-type GITHUB --owner acme --token-file -
    slipway credential import --server-type BITBUCKET --username me@example.com --token-file -
    slipway credential import --server-type GITHUB_ENTERPRISE --host ghe.example --ca-file ca.pem --token-file -

With --dry-run nothing is stored: the token is checked, and you see which
projects it would serve and what each would lose.

Exit codes: 0 it is imported (or would be), whatever the provider says of it;
1 it failed; 2 the command line is wrong.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 { // not repeated: it may be the token
				return usagef("credential import takes no arguments: the token comes from a file, or with --token-file - from standard input")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.read(cmd.InOrStdin(), cmd.ErrOrStderr()); err != nil {
				return err
			}
			var out slipway.ImportCredentialOutput
			if err := o.call(cmd.Context(), "ImportCredential", &o.in, &out); err != nil {
				return err
			}
			if o.in.DryRun {
				return o.answer(cmd.OutOrStdout(), out, func(w io.Writer) { printDryImport(w, out) })
			}
			var found slipway.VerifyCredentialOutput
			err := o.call(cmd.Context(), "VerifyCredential", &slipway.VerifyCredentialInput{Credential: out.ARN}, &found)
			if err == nil {
				out.Health = found.Credential.Health
			}
			return errors.Join(o.answer(cmd.OutOrStdout(), out, func(w io.Writer) {
				if out.Overwrites {
					fmt.Fprintln(w, "Imported in place of the token before.")
				} else {
					fmt.Fprintln(w, "Imported.")
				}
				if found.Credential != nil {
					printCredential(w, *found.Credential, "")
				}
			}), err)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.in.Name, "name", "", "name of the credential; without, it is the account's default")
	f.StringVar(&o.serverType, "server-type", "", "GITHUB, GITHUB_ENTERPRISE, BITBUCKET, GITLAB or GITLAB_SELF_MANAGED")
	f.StringVar(&o.authType, "auth-type", "", "PERSONAL_ACCESS_TOKEN, BASIC_AUTH, CODECONNECTIONS or SECRETS_MANAGER (default: what fits the rest)")
	f.StringVar(&o.tokenFile, "token-file", "", "file with the token, or - for standard input")
	f.StringVar(&o.in.Username, "username", "", "what goes with the token: the e-mail address for a Bitbucket API token, the name of a GitLab deploy token")
	f.StringSliceVar(&o.hosts, "host", nil, "host of a self-hosted server, the only ones that its token goes to (repeatable)")
	f.StringVar(&o.owner, "owner", "", "owner, organization, workspace or group that a named credential is for, such as acme or acme-*")
	f.StringVar(&o.repository, "repository", "", "repository that a named credential is for, such as app or app-*")
	f.StringVar(&o.caFile, "ca-file", "", "PEM file with the certificates to trust at the hosts")
	f.StringVar(&o.expires, "expires", "", "day on which the token expires, such as 2027-05-31, if the provider does not tell")
	f.BoolVar(&o.noOverwrite, "no-overwrite", false, "fail if there is one already")
	f.BoolVar(&o.in.DryRun, "dry-run", false, "store nothing; show what would change")
	o.flags(cmd)
	return cmd
}

// read makes the input of what the command line, files and stdin say. A person
// at a terminal is asked for the token on prompt.
func (o *importOptions) read(stdin io.Reader, prompt io.Writer) error {
	if err := o.check(); err != nil {
		return err
	}
	o.in.ServerType = slipway.ServerType(strings.ToUpper(o.serverType))
	switch o.in.ServerType {
	case slipway.ServerTypeGithub, slipway.ServerTypeGithubEnterprise, slipway.ServerTypeBitbucket, slipway.ServerTypeGitlab, slipway.ServerTypeGitlabSelfManaged:
	default:
		return usagef("--server-type %q: expected GITHUB, GITHUB_ENTERPRISE, BITBUCKET, GITLAB or GITLAB_SELF_MANAGED", o.serverType)
	}
	o.in.AuthType = slipway.AuthType(strings.ToUpper(o.authType))
	if o.in.AuthType == "" {
		o.in.AuthType = slipway.AuthTypePersonalAccessToken
		if o.in.Username != "" && o.in.ServerType == slipway.ServerTypeBitbucket {
			o.in.AuthType = slipway.AuthTypeBasicAuth
		}
	}
	if o.tokenFile == "" {
		return usagef("--token-file is missing: name a file with the token, or - for standard input")
	}
	if o.noOverwrite {
		o.in.ShouldOverwrite = new(false)
	}
	if err := o.readPlace(); err != nil {
		return err
	}
	if o.expires != "" {
		at, err := time.Parse(time.DateOnly, o.expires)
		if err != nil {
			if at, err = time.Parse(time.RFC3339, o.expires); err != nil {
				return usagef("--expires %q: expected a day such as 2027-05-31", o.expires)
			}
		}
		o.in.Expires = api.At(at)
	}
	token, err := readToken(o.tokenFile, stdin, prompt)
	o.in.Token = token
	return err
}

// readPlace reads what the credential is for.
func (o *importOptions) readPlace() error {
	match := slipway.CredentialMatch{Owner: o.owner, Repository: o.repository}
	for _, h := range o.hosts {
		if !strings.Contains(h, "*") {
			o.in.Hosts = append(o.in.Hosts, h)
			continue
		}
		if match.Host != "" {
			return usagef("--host %q: there can be one pattern only, and %q is one already", h, match.Host)
		}
		match.Host = h
	}
	if match != (slipway.CredentialMatch{}) {
		if o.in.Name == "" {
			return usagef("--owner, --repository and --host with a * choose between named credentials: give a --name, too")
		}
		o.in.Match = &match
	}
	if o.caFile == "" {
		return nil
	}
	ca, err := os.ReadFile(o.caFile)
	o.in.CaBundle = string(ca)
	return err
}

// maxTokenFile bounds what is read of a file that is said to hold a token.
const maxTokenFile = 64 << 10

func readToken(name string, stdin io.Reader, prompt io.Writer) (secret.Text, error) {
	if f, ok := stdin.(*os.File); name == "-" && ok && term.IsTerminal(int(f.Fd())) { //nolint:gosec // a descriptor
		fmt.Fprint(prompt, "Token: ")
		text, err := term.ReadPassword(int(f.Fd())) //nolint:gosec // a descriptor
		fmt.Fprintln(prompt)
		return secret.New(string(text)), err
	}
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return secret.Text{}, err
		}
		defer f.Close()
		stdin = f
	}
	text, err := io.ReadAll(io.LimitReader(stdin, maxTokenFile+1))
	switch {
	case err != nil:
		return secret.Text{}, err
	case len(text) > maxTokenFile:
		return secret.Text{}, errors.New("what --token-file names is too long for a token: give a file that holds nothing else")
	case strings.TrimSpace(string(text)) == "":
		return secret.Text{}, errors.New("what --token-file names is empty: write the token into it")
	}
	return secret.New(string(text)), nil
}

func printDryImport(w io.Writer, out slipway.ImportCredentialOutput) {
	if out.Overwrites {
		fmt.Fprintf(w, "Nothing was imported. This would replace the token of %s.\n", out.ARN)
	} else {
		fmt.Fprintf(w, "Nothing was imported. This would be a new credential, %s.\n", out.ARN)
	}
	if h := out.Health; h != nil {
		fmt.Fprintf(w, "The token: %s\n", stateOf(*h))
		if h.Owner != "" {
			fmt.Fprintf(w, "  owner    %s\n", owner(*h))
		}
		printHealth(w, *h)
	}
	printAffected(w, out.AffectedProjects, "No project would be affected.")
}

// printAffected writes what would become of projects.
func printAffected(w io.Writer, all []slipway.AffectedProject, none string) {
	fmt.Fprintln(w)
	if len(all) == 0 {
		fmt.Fprintln(w, none)
		return
	}
	for _, p := range all {
		fmt.Fprintf(w, "%s (%s)\n", p.ProjectName, p.RepositoryURL)
		if p.Then != "" {
			fmt.Fprintln(w, "    "+p.Then)
		}
		for _, lost := range p.Lose {
			fmt.Fprintln(w, "    would lose: "+lost)
		}
	}
}
