package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"slipway/internal/api/slipway"
)

func credentialShowCommand() *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use:   "show CREDENTIAL",
		Short: "Show one credential: what it is, what it can do, and its latest uses",
		Long: `Show one credential, by name, ARN or server type: whose token it is and of which
kind, when it expires, what it can do and what it lacks as the last check found
it, which projects use it and what it was given out for lately. The token itself
is never shown.`,
		Args: oneCredential("show"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var out slipway.DescribeCredentialOutput
			if err := t.call(cmd.Context(), "DescribeCredential", &slipway.DescribeCredentialInput{Credential: args[0]}, &out); err != nil {
				return err
			}
			return t.answer(cmd.OutOrStdout(), out, func(w io.Writer) {
				printCredential(w, value(out.Credential), "")
				if len(out.RecentUses) > 0 {
					fmt.Fprintln(w, "\nLatest uses:")
					printUses(w, out.RecentUses)
				}
			})
		},
	}
	t.flags(cmd)
	return cmd
}

func credentialVerifyCommand() *cobra.Command {
	var t target
	var repository string
	cmd := &cobra.Command{
		Use:   "verify CREDENTIAL",
		Short: "Ask the provider now what a credential can do",
		Long: `Ask the provider now what a credential can do. Without --repository it is tried
at up to three repositories of the projects that use it, and what is found is
kept; with it, at that repository only. Nothing is changed at the provider.

Exit codes: 0 the token works, perhaps not for everything, or the provider could
not be asked; 1 the provider refuses it, or it has expired; 2 the command line is
wrong.`,
		Args: oneCredential("verify"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var out slipway.VerifyCredentialOutput
			in := &slipway.VerifyCredentialInput{Credential: args[0], RepositoryURL: repository}
			if err := t.call(cmd.Context(), "VerifyCredential", in, &out); err != nil {
				return err
			}
			c := value(out.Credential)
			if err := t.answer(cmd.OutOrStdout(), out, func(w io.Writer) { printCredential(w, c, repository) }); err != nil {
				return err
			}
			if dead(healthOf(c).State) {
				return exitCode(1)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&repository, "repository", "", "URL of the repository to try it at")
	t.flags(cmd)
	return cmd
}

// dead reports whether a provider refuses a credential.
func dead(s slipway.CredentialState) bool {
	return s == slipway.CredentialStateInvalid || s == slipway.CredentialStateExpired
}

// states in words.
var stateWords = map[slipway.CredentialState]string{
	slipway.CredentialStateValid:       "it works",
	slipway.CredentialStateLimited:     "it works, but not for everything",
	slipway.CredentialStateInvalid:     "it does not work",
	slipway.CredentialStateExpired:     "it has expired",
	slipway.CredentialStateUnreachable: "the provider could not be asked",
	slipway.CredentialStateUnchecked:   "it was not checked",
}

// kinds of tokens in words.
var kindWords = map[slipway.TokenKind]string{
	slipway.TokenKindGithubClassic:            "GitHub personal access token (classic)",
	slipway.TokenKindGithubFineGrained:        "GitHub fine-grained personal access token",
	slipway.TokenKindGithubOauth:              "GitHub OAuth token",
	slipway.TokenKindGithubAppUser:            "GitHub App token of a user",
	slipway.TokenKindGithubAppInstallation:    "GitHub App installation token",
	slipway.TokenKindGithubAppRefresh:         "GitHub App refresh token",
	slipway.TokenKindBitbucketApiToken:        "Bitbucket API token",
	slipway.TokenKindBitbucketAccessToken:     "Bitbucket access token",
	slipway.TokenKindBitbucketRepositoryToken: "Bitbucket repository access token",
	slipway.TokenKindBitbucketProjectToken:    "Bitbucket project access token",
	slipway.TokenKindBitbucketWorkspaceToken:  "Bitbucket workspace access token",
	slipway.TokenKindBitbucketAppPassword:     "Bitbucket app password",
	slipway.TokenKindGitlabPersonal:           "GitLab personal access token",
	slipway.TokenKindGitlabProject:            "GitLab project access token",
	slipway.TokenKindGitlabGroup:              "GitLab group access token",
	slipway.TokenKindGitlabDeploy:             "GitLab deploy token",
	slipway.TokenKindGitlabOauth:              "GitLab OAuth token",
	slipway.TokenKindGitlabCiJob:              "GitLab CI job token",
	slipway.TokenKindGitlabTrigger:            "GitLab trigger token",
	slipway.TokenKindGitlabRunner:             "GitLab runner token",
}

// jobWords are jobs in words that follow "can".
var jobWords = map[slipway.CredentialJob]string{
	slipway.CredentialJobClone:            "clone",
	slipway.CredentialJobCommitStatus:     "report commit statuses",
	slipway.CredentialJobWebhook:          "manage webhooks",
	slipway.CredentialJobPullRequestFiles: "read the files of pull requests",
}

// printCredential writes all that is known of a credential: facts, then what it
// can do, then what to do about what it cannot. repository is the URL that it
// was tried at, if somebody named one.
func printCredential(w io.Writer, c slipway.CredentialSummary, repository string) {
	h := healthOf(c)
	title := c.Name
	if title == "" {
		title = "The account's default for " + string(c.ServerType)
	}
	fmt.Fprintf(w, "%s: %s\n", title, stateOf(h))
	printFacts(w, c, h)
	printHealth(w, h)
	again := "slipway credential verify " + handle(c)
	if repository != "" {
		again += " --repository " + repository
	}
	untried := h.Repository == ""
	switch {
	case h.State == slipway.CredentialStateLimited && untried:
		fmt.Fprintf(w, "After that, try it at a repository: %s --repository URL\n", again)
	case h.State == slipway.CredentialStateValid && untried:
		fmt.Fprintf(w, "Trying it at a repository tells more: %s --repository URL\n", again)
	case h.State == slipway.CredentialStateLimited, h.State == slipway.CredentialStateUnreachable:
		fmt.Fprintln(w, "After that, check it again: "+again)
	}
}

// stateOf returns the state of a credential in words.
func stateOf(h slipway.CredentialHealth) string {
	can := func(j slipway.JobAbility) bool { return j.Ability != slipway.AbilityNo }
	switch {
	case h.State != slipway.CredentialStateLimited || len(h.Jobs) == 0 || slices.ContainsFunc(h.Jobs, can):
		return stateWords[h.State]
	case h.Repository != "":
		return "the provider knows it, but it can do nothing at " + h.Repository
	}
	return "the provider knows it, but it can do nothing"
}

func printFacts(w io.Writer, c slipway.CredentialSummary, h slipway.CredentialHealth) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fact := func(name, value string) {
		if value != "" {
			fmt.Fprintf(table, "  %s\t%s\n", name, value)
		}
	}
	fact("arn", c.ARN)
	fact("type", string(c.ServerType)+", "+string(c.AuthType))
	fact("kind", kindWords[h.TokenKind])
	fact("owner", owner(h))
	fact("user name", c.Username)
	fact("refers to", c.Resource)
	fact("connection", c.ConnectionARN)
	fact("for", matchWords(c.Match))
	fact("hosts", strings.Join(c.Hosts, ", "))
	if h.ScopesKnown {
		fact("scopes", orNone(h.Scopes))
	}
	fact("expires", expires(c))
	fact("imported", stamp(c.Modified.Time))
	fact("last used", stamp(c.LastUsed.Time))
	fact("used by", orNobody(c.UsedBy))
	fact("tried at", strings.TrimSpace(h.Host+" "+h.Repository))
	fact("checked", stamp(h.Checked.Time))
	_ = table.Flush() // it writes to memory
}

// printHealth writes what a check found: what is wrong with all, the jobs, and
// what to do. Nothing is said twice.
func printHealth(w io.Writer, h slipway.CredentialHealth) {
	fmt.Fprintln(w)
	said := ""
	switch {
	case len(h.Jobs) == 0 || h.State != slipway.CredentialStateLimited && h.State != slipway.CredentialStateValid:
		said = h.Message
	case !slices.ContainsFunc(h.Jobs, func(j slipway.JobAbility) bool { return j.Message != h.Jobs[0].Message }):
		said = h.Jobs[0].Message
	}
	if said != "" {
		fmt.Fprintln(w, said)
	}
	above := map[string]string{}
	for _, j := range h.Jobs {
		fmt.Fprintln(w, jobLine(j, said, above))
	}
	next(w, "", h.NextStep, h.Link)
	steps := map[string]bool{h.NextStep: true}
	for _, j := range h.Jobs {
		covered := h.Cause == slipway.FailureCauseMissingScope && j.Cause == h.Cause // its step names what all jobs lack
		if j.Ability == slipway.AbilityNo && !dead(h.State) && !covered && !steps[j.NextStep] {
			next(w, "", j.NextStep, j.Link)
			steps[j.NextStep] = true
		}
	}
	for _, warning := range h.Warnings {
		fmt.Fprintln(w, "Note: "+warning)
	}
}

// jobLine says whether a job can be done, and if not why, in one line. said is
// what was said of all jobs, and above holds by what was said which job it was
// said of first.
func jobLine(j slipway.JobAbility, said string, above map[string]string) string {
	line := "can " + jobWords[j.Job] + ": "
	why := strings.TrimSuffix(j.Message, ".")
	if why == "" && len(j.Missing) > 0 {
		why = missing(j.Missing)
	}
	switch first := above[why]; {
	case j.Message == said:
		why = ""
	case first != "" && len(why) > 60:
		why = "for the same reason as to " + first
	case first == "":
		above[why] = jobWords[j.Job]
	}
	switch j.Ability {
	case slipway.AbilityYes:
		return line + "yes"
	case slipway.AbilityNo:
		line += "no"
	default:
		line += "not known"
	}
	if why != "" {
		line += " — " + why
	}
	return line
}

func missing(scopes []string) string {
	if len(scopes) == 1 {
		return "the scope " + scopes[0] + " is missing"
	}
	return "the scopes " + strings.Join(scopes, ", ") + " are missing"
}

func owner(h slipway.CredentialHealth) string {
	if h.Owner != "" && h.OwnerIsBot {
		return h.Owner + " (a bot)"
	}
	return h.Owner
}

func matchWords(m *slipway.CredentialMatch) string {
	if m == nil {
		return ""
	}
	part := func(s string) string {
		if s == "" {
			return "*"
		}
		return s
	}
	return part(m.Host) + "/" + part(m.Owner) + "/" + part(m.Repository)
}

func orNone(all []string) string {
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, ", ")
}

func orNobody(projects []string) string {
	if len(projects) == 0 {
		return "no project"
	}
	return strings.Join(projects, ", ")
}
