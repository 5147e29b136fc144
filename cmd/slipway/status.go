package main

import (
	"encoding/json"
	"fmt"
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
whether it arrived, and, where the provider refused it, the provider's own words.

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
			fmt.Fprintln(w, "STATE\tDELIVERY\tATTEMPTS\tCREATED\tCOMMIT\tMESSAGE")
			for _, s := range out.CommitStatuses {
				fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%.12s\t%s\n", s.State, s.DeliveryStatus, s.Attempts, s.Created.Format(time.RFC3339), s.CommitID, s.Message)
			}
			return w.Flush()
		},
	}
	cmd.Flags().StringVar(&data, "data", defaultData(), "the server's data folder")
	cmd.Flags().StringVar(&output, "output", "text", "text or json")
	return cmd
}

// value is *p, or the zero value when p is nil.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
