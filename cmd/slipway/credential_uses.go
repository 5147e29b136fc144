package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"slipway/internal/api/slipway"
)

func credentialDeleteCommand() *cobra.Command {
	var t target
	var in slipway.DeleteCredentialInput
	cmd := &cobra.Command{
		Use:   "delete CREDENTIAL",
		Short: "Delete a credential, and see which projects used it",
		Long: `Delete a credential for good, and see which projects used it and what serves each
from now on. With --dry-run you only see it.`,
		Args: oneCredential("delete"),
		RunE: func(cmd *cobra.Command, args []string) error {
			in.Credential = args[0]
			var out slipway.DeleteCredentialOutput
			if err := t.call(cmd.Context(), "DeleteCredential", &in, &out); err != nil {
				return err
			}
			return t.answer(cmd.OutOrStdout(), out, func(w io.Writer) {
				if len(out.AffectedProjects) == 0 && !in.DryRun {
					fmt.Fprintf(w, "Deleted %s. No project used it.\n", out.ARN)
					return
				}
				if in.DryRun {
					fmt.Fprintf(w, "Nothing was deleted. Without %s:\n", out.ARN)
				} else {
					fmt.Fprintf(w, "Deleted %s. Without it:\n", out.ARN)
				}
				printAffected(w, out.AffectedProjects, "No project uses it.")
			})
		},
	}
	cmd.Flags().BoolVar(&in.DryRun, "dry-run", false, "delete nothing; show what would change")
	t.flags(cmd)
	return cmd
}

func credentialWhichCommand() *cobra.Command {
	var t target
	var in slipway.ExplainCredentialInput
	var serverType string
	cmd := &cobra.Command{
		Use:   "which URL",
		Short: "Show which credential serves a repository, and why",
		Long: `Show all credentials that could serve a repository, in the order in which they are
asked, and the one that does. With --project it is the project's own source, what
that names itself included.`,
		Args: func(_ *cobra.Command, args []string) error {
			if (len(args) == 1) == (in.ProjectName != "") || len(args) > 1 {
				return usagef("credential which needs the URL of a repository, such as https://github.com/owner/repository, or --project NAME")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				in.RepositoryURL = args[0]
			}
			in.ServerType = slipway.ServerType(strings.ToUpper(serverType))
			var out slipway.ExplainCredentialOutput
			if err := t.call(cmd.Context(), "ExplainCredential", &in, &out); err != nil {
				return err
			}
			return t.answer(cmd.OutOrStdout(), out, func(w io.Writer) { printLadder(w, out) })
		},
	}
	cmd.Flags().StringVar(&in.ProjectName, "project", "", "name of a project, instead of a URL")
	cmd.Flags().StringVar(&serverType, "server-type", "", "what kind of provider is at the URL, where its host does not tell")
	t.flags(cmd)
	return cmd
}

func printLadder(w io.Writer, out slipway.ExplainCredentialOutput) {
	fmt.Fprintf(w, "%s (%s)\n%s\n\n", out.RepositoryURL, out.ServerType, out.Message)
	if len(out.Rungs) == 0 {
		fmt.Fprintln(w, "There is no credential that could serve it.")
		return
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\tBASIS\tCREDENTIAL\tFOR\tWHY")
	for i, r := range out.Rungs {
		mark := fmt.Sprintf("%d", i+1)
		if r.Wins {
			mark += " *"
		}
		name := r.Name
		if name == "" {
			name = r.ARN
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", mark, r.Basis, dash(name), dash(matchWords(r.Match)), dash(r.Reason))
	}
	_ = table.Flush() // it writes to memory
	if out.ARN != "" {
		fmt.Fprintln(w, "\n* serves it")
	}
}

func credentialUsesCommand() *cobra.Command {
	var t target
	var limit int
	cmd := &cobra.Command{
		Use:   "uses CREDENTIAL",
		Short: "Show what a credential was given out for, latest first",
		Args:  oneCredential("uses"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 1 {
				return usagef("--limit %d: expected 1 or more", limit)
			}
			all := slipway.ListCredentialUsesOutput{Uses: []slipway.CredentialUse{}}
			in := &slipway.ListCredentialUsesInput{Credential: args[0]}
			for {
				in.MaxResults = new(min(100, limit-len(all.Uses)))
				var page slipway.ListCredentialUsesOutput
				if err := t.call(cmd.Context(), "ListCredentialUses", in, &page); err != nil {
					return err
				}
				all.Uses = append(all.Uses, page.Uses...)
				if in.NextToken = page.NextToken; page.NextToken == "" || len(all.Uses) >= limit {
					break
				}
			}
			return t.answer(cmd.OutOrStdout(), all, func(w io.Writer) {
				if len(all.Uses) == 0 {
					fmt.Fprintln(w, "It was not used yet.")
					return
				}
				printUses(w, all.Uses)
			})
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 50, "how many uses to show at most")
	t.flags(cmd)
	return cmd
}

func printUses(w io.Writer, all []slipway.CredentialUse) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "AT\tFOR\tPROJECT\tREPOSITORY\tHOST\tBUILD")
	for _, u := range all {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", stamp(u.At.Time), u.Purpose, dash(u.ProjectName), dash(u.Repository), dash(u.Host), dash(u.BuildID))
	}
	_ = table.Flush() // it writes to memory
}

// maxRepositories is how many repositories are shown at most: who has more,
// searches.
const maxRepositories = 1000

func credentialRepositoriesCommand() *cobra.Command {
	var t target
	var in slipway.ListRepositoriesInput
	cmd := &cobra.Command{
		Use:   "repositories CREDENTIAL",
		Short: "List the repositories that a credential reaches",
		Args:  oneCredential("repositories"),
		RunE: func(cmd *cobra.Command, args []string) error {
			in.Credential = args[0]
			all := slipway.ListRepositoriesOutput{Repositories: []slipway.Repository{}}
			for {
				var page slipway.ListRepositoriesOutput
				if err := t.call(cmd.Context(), "ListRepositories", &in, &page); err != nil {
					return err
				}
				all.Repositories = append(all.Repositories, page.Repositories...)
				all.Warnings = append(all.Warnings, page.Warnings...)
				if in.NextToken = page.NextToken; page.NextToken == "" || len(all.Repositories) >= maxRepositories {
					all.NextToken = page.NextToken
					break
				}
			}
			return t.answer(cmd.OutOrStdout(), all, func(w io.Writer) { printRepositories(w, all) })
		},
	}
	cmd.Flags().StringVar(&in.Search, "search", "", "only those whose name contains this")
	cmd.Flags().StringVar(&in.Host, "host", "", "which of the credential's hosts to ask (default the first)")
	t.flags(cmd)
	return cmd
}

func printRepositories(w io.Writer, all slipway.ListRepositoriesOutput) {
	for _, warning := range all.Warnings {
		fmt.Fprintln(w, "Note: "+warning)
	}
	if len(all.Repositories) == 0 {
		fmt.Fprintln(w, "It reaches no such repository.")
		return
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "REPOSITORY\tBRANCH\tPRIVATE\tADMIN\tURL")
	for _, r := range all.Repositories {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", r.FullName, dash(r.DefaultBranch), yes(r.Private), yes(r.Admin), r.CloneURL)
	}
	_ = table.Flush() // it writes to memory
	if all.NextToken != "" {
		fmt.Fprintln(w, "There are more: find one with --search.")
	}
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
