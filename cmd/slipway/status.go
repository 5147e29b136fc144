package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"slipway/internal/api/slipway"
)

func statusCommand() *cobra.Command {
	var data, output string
	cmd := &cobra.Command{
		Use:   "status BUILD-ID",
		Short: "Show the commit statuses of a build, and what the provider said to each",
		Long: `Show the commit statuses that a build owes its source provider: what was said,
whether it arrived, with which credential, and, where the provider refused it, its
HTTP status, its own words and what to do about it.

BUILD-ID is a build's id (project:uuid) or ARN.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("status needs one build id, such as app:0f3c…; 'aws codebuild list-builds' lists them")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if output != "text" && output != "json" {
				return usagef("--output %q: expected text or json", output)
			}
			c, err := connect(cmd.Context(), dataFolder(data))
			if err != nil {
				return err
			}
			var out slipway.ListCommitStatusesOutput
			in := &slipway.ListCommitStatusesInput{BuildID: args[0]}
			if err := c.Call(cmd.Context(), slipway.Definition, "ListCommitStatuses", in, &out); err != nil {
				return err
			}
			if output == "json" {
				e := json.NewEncoder(cmd.OutOrStdout())
				e.SetIndent("", "  ")
				return e.Encode(out)
			}
			if len(out.CommitStatuses) == 0 {
				_, err := fmt.Fprintln(cmd.OutOrStdout(), "No commit status is owed for this build: its source does not report statuses (reportBuildStatus), or no commit was resolved.")
				return err
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "STATE\tDELIVERY\tATTEMPTS\tHTTP\tCREATED\tCOMMIT\tCREDENTIAL\tMESSAGE")
			for _, s := range out.CommitStatuses {
				fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%.12s\t%s\t%s\n", s.State, s.DeliveryStatus, s.Attempts, answered(s.HttpStatus),
					s.Created.Format(time.RFC3339), s.CommitID, cmp.Or(s.CredentialARN, "-"), s.Message)
			}
			return w.Flush()
		},
	}
	cmd.Flags().StringVar(&data, "data", defaultData(), "the server's data folder")
	cmd.Flags().StringVar(&output, "output", "text", "text or json")
	return cmd
}

// answered is the HTTP status of a refusal as the table shows it.
func answered(status int) string {
	if status == 0 {
		return "-"
	}
	return strconv.Itoa(status)
}

// value is *p, or the zero value when p is nil.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
