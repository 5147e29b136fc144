package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"slipway/internal/api/slipway"
)

func credentialCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "credential",
		Short: "Connect source providers with access tokens, and see what each can do",
		Long: `Connect source providers with access tokens, and see what each token is, what it
can do, what it lacks, when it expires and which projects use it.

CREDENTIAL is a credential's name or ARN, or, for the account's default of a
provider, its server type: github, github_enterprise, bitbucket, gitlab or
gitlab_self_managed.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(credentialListCommand(), credentialShowCommand(), credentialVerifyCommand(), credentialImportCommand(),
		credentialDeleteCommand(), credentialWhichCommand(), credentialUsesCommand(), credentialRepositoriesCommand())
	return cmd
}

// A target is the server that a command talks to, and how the command answers.
type target struct {
	data   string
	output string // text or json
}

func (t *target) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&t.data, "data", defaultData(), "the server's data folder")
	cmd.Flags().StringVar(&t.output, "output", "text", "text or json")
}

// call runs one of our own operations.
func (t *target) call(ctx context.Context, operation string, in, out any) error {
	if err := t.check(); err != nil {
		return err
	}
	c, err := connect(ctx, dataFolder(t.data))
	if err != nil {
		return err
	}
	return c.Call(ctx, slipway.Definition, operation, in, out)
}

func (t *target) check() error {
	if t.output != "text" && t.output != "json" {
		return usagef("--output %q: expected text or json", t.output)
	}
	return nil
}

// answer writes v as JSON, or what text writes.
func (t *target) answer(w io.Writer, v any, text func(w io.Writer)) error {
	if t.output == "json" {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(v)
	}
	var b strings.Builder
	text(&b)
	said := strings.Map(visible, b.String())
	if isTerminal(w) {
		said = terminal.Replace(said)
	}
	_, err := io.WriteString(w, said)
	return err
}

// visible drops what would steer a terminal: some of what is shown are the words
// of providers.
func visible(r rune) rune {
	if r != '\n' && r != '\t' && unicode.IsControl(r) {
		return -1
	}
	return r
}

// terminal is how the answers of a check look on a terminal.
var terminal = strings.NewReplacer(": yes\n", ": ✓\n", ": no\n", ": ✗\n", ": no — ", ": ✗ ")

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) //nolint:gosec // a descriptor
}

// oneCredential is the Args of commands that need one credential.
func oneCredential(command string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 { // not repeated: it may be a token
			return usagef("credential %s needs one credential, by name, ARN or server type; 'slipway credential list' lists them", command)
		}
		return nil
	}
}

func credentialListCommand() *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the credentials, how they are, and which projects use them",
		Long: `List the source credentials: how each was found at its last check, whose it is,
when it expires and which projects use it. It asks no provider; 'slipway
credential verify' does.

Exit codes: 0 they are listed, whatever state they are in; 1 it failed;
2 the command line is wrong. For scripts that watch, see 'slipway doctor'.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var out slipway.ListCredentialsOutput
			if err := t.call(cmd.Context(), "ListCredentials", &slipway.ListCredentialsInput{}, &out); err != nil {
				return err
			}
			return t.answer(cmd.OutOrStdout(), out, func(w io.Writer) { printCredentials(w, out.Credentials) })
		},
	}
	t.flags(cmd)
	return cmd
}

func printCredentials(w io.Writer, all []slipway.CredentialSummary) {
	if len(all) == 0 {
		fmt.Fprintln(w, "There are no source credentials, so only public repositories can be fetched.")
		fmt.Fprintln(w, "Import a token with: slipway credential import --server-type GITHUB --token-file FILE")
		return
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "CREDENTIAL\tTYPE\tSTATE\tOWNER\tEXPIRES\tLAST USED\tUSED BY")
	for _, c := range all {
		h := healthOf(c)
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", handle(c), c.ServerType, h.State, dash(h.Owner), dash(expires(c)), dash(stamp(c.LastUsed.Time)), dash(few(c.UsedBy, 4)))
	}
	_ = table.Flush() // it writes to memory
	for _, c := range all {
		if h := healthOf(c); h.State != slipway.CredentialStateValid {
			fmt.Fprintf(w, "\n%s: %s\n", handle(c), h.Message)
			next(w, "  ", h.NextStep, h.Link)
		}
	}
}

// healthOf is a credential's health; one is always there but from servers of
// another version.
func healthOf(c slipway.CredentialSummary) slipway.CredentialHealth {
	if c.Health == nil {
		return slipway.CredentialHealth{State: slipway.CredentialStateUnchecked}
	}
	return *c.Health
}

// handle is the word by which a credential is named on the command line.
func handle(c slipway.CredentialSummary) string {
	if c.Name != "" {
		return c.Name
	}
	return strings.ToLower(string(c.ServerType))
}

// next writes what to do, and its link, if the words do not hold it, on a line
// of its own.
func next(w io.Writer, indent, step, link string) {
	if step != "" {
		fmt.Fprintln(w, indent+step)
	}
	if link != "" && !strings.Contains(step, link) {
		fmt.Fprintln(w, indent+link)
	}
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04")
}

func expires(c slipway.CredentialSummary) string {
	if c.Expires.IsZero() {
		return ""
	}
	on := c.Expires.UTC().Format(time.DateOnly)
	if c.Health != nil && c.Health.State == slipway.CredentialStateExpired {
		return on + " (over)"
	}
	return fmt.Sprintf("%s (%s)", on, days(c.DaysLeft))
}

func days(n int) string {
	switch {
	case n <= 0:
		return "within a day"
	case n == 1:
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}

// few names the first n of many.
func few(names []string, n int) string {
	if len(names) > n {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:n], ", "), len(names)-n)
	}
	return strings.Join(names, ", ")
}
