package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"slipway/internal/api/slipway"
)

func showWebhooks(out io.Writer, in *slipway.ListWebhooksOutput) error {
	if len(in.Webhooks) == 0 {
		_, err := fmt.Fprintln(out, "There are no webhooks. 'aws codebuild create-webhook --project-name NAME' makes one.")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PROJECT\tSTATE\tREPOSITORY\tLAST DELIVERY\tMESSAGE")
	for _, h := range in.Webhooks {
		last := "-"
		if d := h.LastDelivery; d != nil {
			last = d.ID + " " + d.Received.Format(time.RFC3339)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", h.ProjectName, h.State, h.RepositoryURL, last, plain(h.Message))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, h := range in.Webhooks {
		for _, warning := range h.Warnings {
			if _, err := fmt.Fprintf(out, "\nWarning, project %s: %s\n", h.ProjectName, plain(warning)); err != nil {
				return err
			}
		}
	}
	return nil
}

func showDeliveries(out io.Writer, in *slipway.ListWebhookDeliveriesOutput) error {
	if len(in.Deliveries) == 0 {
		_, err := fmt.Fprintln(out, "Nothing was delivered. 'slipway webhook list --verify' asks the provider how its webhook stands.")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tRECEIVED\tEVENT\tREPOSITORY\tSIGNATURE\tSTATE\tBUILDS\tNOTE")
	for _, d := range in.Deliveries {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\n", d.ID, d.Received.Format(time.RFC3339), plain(d.Event), plain(d.Repository), d.Signature, d.State, len(d.BuildIDs), plain(d.Note))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if in.NextToken != "" {
		_, err := fmt.Fprintf(out, "\nThere are more: --before %s\n", in.NextToken)
		return err
	}
	return nil
}

func showDelivery(out io.Writer, in *slipway.DescribeWebhookDeliveryOutput) error {
	d := in.Delivery
	if d == nil {
		return nil
	}
	bold := style(out)
	fmt.Fprintf(out, "%s  %s  %s\n", bold(d.ID), plain(d.Event), plain(d.Repository))
	fmt.Fprintf(out, "received   %s from %s, which calls it %s\n", d.Received.Format(time.RFC3339), d.ServerType, plain(d.ProviderDeliveryID))
	fmt.Fprintf(out, "signature  %s\n", d.Signature)
	if d.Repeats > 0 {
		fmt.Fprintf(out, "repeats    %d; they were answered and built nothing\n", d.Repeats)
	}
	if d.State == slipway.DeliveryStatePending {
		fmt.Fprintln(out, "It is not evaluated yet.")
	}
	if d.Note != "" {
		fmt.Fprintln(out, plain(d.Note))
	}
	return showVerdicts(out, in.Verdicts)
}

func showTest(out io.Writer, in *slipway.TestWebhookOutput) error {
	for _, warning := range in.Warnings {
		fmt.Fprintf(out, "Warning: %s\n", plain(warning))
	}
	if in.Note != "" {
		fmt.Fprintln(out, plain(in.Note))
	}
	if len(in.Verdicts) == 0 {
		_, err := fmt.Fprintln(out, "The payload is about nothing that builds.")
		return err
	}
	return showVerdicts(out, in.Verdicts)
}

// showVerdicts prints for each project a table of groups and filters.
func showVerdicts(out io.Writer, verdicts []slipway.ProjectVerdict) error {
	bold := style(out)
	for _, v := range verdicts {
		fmt.Fprintf(out, "\n%s  %s\n%s\n", bold(v.ProjectName), bold(string(v.Outcome)), plain(v.Reason))
		if v.BuildID != "" {
			fmt.Fprintf(out, "build %s\n", v.BuildID)
		}
		about := []string{v.Event}
		for _, part := range []struct{ name, value string }{{"head", v.HeadRef}, {"base", v.BaseRef}, {"commit", v.CommitID}, {"actor", strings.TrimSpace(v.Actor + " " + v.ActorAccountID)}} {
			if part.value != "" {
				about = append(about, part.name+" "+plain(part.value))
			}
		}
		if v.PullRequest != 0 {
			about = append(about, fmt.Sprintf("pull request %d", v.PullRequest))
		}
		fmt.Fprintln(out, strings.Join(about, ", "))
		if len(v.Groups) == 0 {
			continue
		}
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "GROUP\tFILTER\tVALUE\tPATTERN\tVERDICT\tNOTE")
		for i, g := range v.Groups {
			for _, f := range g.Filters {
				pattern, verdict := plain(f.Pattern), "no match"
				if f.ExcludeMatchedPattern {
					pattern = "not " + pattern
				}
				if f.Matched {
					verdict = "match"
				}
				fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\n", i+1, f.Type, plain(f.Value), pattern, verdict, plain(f.Note))
			}
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// plain returns a stranger's text as a terminal may show it: on one line, with
// nothing in it that moves the cursor.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u202e' || r == '\u2066' || r == '\u2067' {
			return ' '
		}
		return r
	}, text)
}
