package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"slipway/internal/api"
	smapi "slipway/internal/api/secretsmanager"
	"slipway/internal/api/slipway"
	ssmapi "slipway/internal/api/ssm"
	"slipway/internal/awsjson"
)

func secretCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "secret",
		Short: "Keep the values that builds take from Secrets Manager and the Parameter Store",
		Long: `Keep the values that builds take for variables of type SECRETS_MANAGER and
PARAMETER_STORE, and for the secrets-manager and parameter-store maps of a
buildspec. They are sealed in the server's database; 'aws secretsmanager' and
'aws ssm' see the same ones.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(secretPutCommand(), secretListCommand(), secretRemoveCommand())
	return cmd
}

// callService runs an operation of a service of AWS's.
func (t *target) callService(ctx context.Context, service *api.Definition, operation string, in, out any) error {
	if err := t.check(); err != nil {
		return err
	}
	c, err := connect(ctx, dataFolder(t.data))
	if err != nil {
		return err
	}
	return c.Call(ctx, service, operation, in, out)
}

// named reports whether err is a failure with this name.
func named(err error, name string) bool {
	e, ok := errors.AsType[*awsjson.Error](err)
	return ok && e.Name == name
}

// oneName is the Args of commands that need the name of one secret.
func oneName(command string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 || args[0] == "" { // not repeated: there may be a value among them
			return usagef("secret %s needs one name, such as app/db; a value never goes on the command line, where others could read it", command)
		}
		return nil
	}
}

func secretListCommand() *cobra.Command {
	var t target
	var in slipway.ListSecretsInput
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the parameters and secrets, and what last used each",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all := slipway.ListSecretsOutput{Secrets: []slipway.SecretSummary{}}
			for {
				var page slipway.ListSecretsOutput
				if err := t.call(cmd.Context(), "ListSecrets", &in, &page); err != nil {
					return err
				}
				all.Secrets = append(all.Secrets, page.Secrets...)
				if in.NextToken = page.NextToken; in.NextToken == "" {
					break
				}
			}
			return t.answer(cmd.OutOrStdout(), all, func(w io.Writer) { printSecrets(w, all.Secrets, in.Search) })
		},
	}
	cmd.Flags().StringVar(&in.Search, "search", "", "only those whose name or description contains this")
	t.flags(cmd)
	return cmd
}

func printSecrets(w io.Writer, all []slipway.SecretSummary, search string) {
	if len(all) == 0 && search != "" {
		fmt.Fprintln(w, "There is no such parameter or secret.")
		return
	}
	if len(all) == 0 {
		fmt.Fprintln(w, "There are no parameters and no secrets.")
		fmt.Fprintln(w, "Keep one with: slipway secret put NAME --file FILE")
		return
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tKIND\tCHANGED\tLAST USED\tBY\tDESCRIPTION")
	for _, s := range all {
		kind := "secret"
		if s.Kind == slipway.SecretKindParameter {
			kind = "parameter, " + s.Type
		}
		if !s.Deleted.IsZero() {
			kind += ", goes on " + s.Deleted.UTC().Format(time.DateOnly)
		}
		used, by := usedBy(s)
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", s.Name, kind, dash(stamp(s.Changed.Time)), dash(used), dash(by), dash(firstLine(s.Description)))
	}
	_ = table.Flush() // it writes to memory
}

// usedBy tells when something was last used, and by whom.
func usedBy(s slipway.SecretSummary) (at, by string) {
	if s.LastUse == nil {
		return "", ""
	}
	by = "a source"
	switch u := s.LastUse; {
	case u.BuildID != "":
		by = u.BuildID
	case u.User != "":
		by = u.User[strings.LastIndexByte(u.User, '/')+1:]
	}
	return stamp(s.LastUse.At.Time), by
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.ReplaceAll(text, "\t", " "), "\n")
	return line
}

func secretRemoveCommand() *cobra.Command {
	var t target
	var parameter, force bool
	cmd := &cobra.Command{
		Use:     "rm NAME",
		Aliases: []string{"remove", "delete"},
		Short:   "Remove a secret, or a parameter with --parameter",
		Long: `Remove a secret: builds cannot use it any more, and for 30 days it can be restored
with 'aws secretsmanager restore-secret'. With --force it is gone at once, as a
parameter always is.

Exit codes: 0 it is removed, 1 it failed, 2 the command line is wrong.`,
		Args: oneName("rm"),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := args[0]
			if parameter {
				var out ssmapi.DeleteParameterResult
				if err := t.callService(cmd.Context(), ssmapi.Definition, "DeleteParameter", &ssmapi.DeleteParameterRequest{Name: name}, &out); err != nil {
					return withHint(err, "ParameterNotFound", "'slipway secret list' shows what there is; a secret is removed without --parameter")
				}
				return t.answer(cmd.OutOrStdout(), out, func(w io.Writer) { fmt.Fprintf(w, "Removed the parameter %s.\n", name) })
			}
			in := &smapi.DeleteSecretRequest{SecretID: name}
			if force {
				in.ForceDeleteWithoutRecovery = &force
				// Forced, AWS's operation finds nothing wrong with a name that is not there.
				if err := t.callService(cmd.Context(), smapi.Definition, "DescribeSecret", &smapi.DescribeSecretRequest{SecretID: name}, nil); err != nil {
					return withHint(err, "ResourceNotFoundException", noSecretHint)
				}
			}
			var out smapi.DeleteSecretResponse
			if err := t.callService(cmd.Context(), smapi.Definition, "DeleteSecret", in, &out); err != nil {
				return withHint(err, "ResourceNotFoundException", noSecretHint)
			}
			return t.answer(cmd.OutOrStdout(), out, func(w io.Writer) {
				if force {
					fmt.Fprintf(w, "Removed the secret %s for good.\n", value(out.Name))
					return
				}
				fmt.Fprintf(w, "Removed the secret %s. Until %s it can be restored: aws secretsmanager restore-secret --secret-id %s\n",
					value(out.Name), out.DeletionDate.UTC().Format(time.DateOnly), value(out.Name))
			})
		},
	}
	f := cmd.Flags()
	f.BoolVar(&parameter, "parameter", false, "a parameter of the Parameter Store, not a secret of Secrets Manager")
	f.BoolVar(&force, "force", false, "remove a secret at once: it cannot be restored")
	t.flags(cmd)
	return cmd
}

const noSecretHint = "'slipway secret list' shows what there is; a parameter is removed with --parameter"

// withHint adds what to do to a failure of this name.
func withHint(err error, name, hint string) error {
	if named(err, name) {
		return fmt.Errorf("%w (%s)", err, hint)
	}
	return err
}
