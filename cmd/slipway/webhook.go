package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
)

func webhookCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "webhook",
		Short: "Show webhooks and what was delivered, and explain why it built or did not",
		Long: `Show webhooks, what source providers delivered to them, and why a delivery started
a build or did not: every delivery is kept for two weeks, with every filter and the
value that it saw.

Webhooks are made, changed and deleted with the AWS CLI: 'aws codebuild create-webhook'.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("webhook has no command %q; 'slipway webhook --help' lists them", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(webhookListCommand(), webhookDeliveriesCommand(), webhookExplainCommand(), webhookTestCommand(), webhookRedeliverCommand())
	return cmd
}

// A caller calls one of Slipway's own operations on a running server and shows
// the answer.
type caller struct{ data, output string }

func (c *caller) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.data, "data", defaultData(), "the server's data folder")
	cmd.Flags().StringVar(&c.output, "output", "text", "text or json")
}

// call stores the answer in out and shows it as JSON, or as show does.
func (c *caller) call(cmd *cobra.Command, operation string, in, out any, show func(io.Writer) error) error {
	if c.output != "text" && c.output != "json" {
		return usagef("--output %q: expected text or json", c.output)
	}
	client, err := connect(cmd.Context(), dataFolder(c.data))
	if err != nil {
		return err
	}
	if err := client.Call(cmd.Context(), slipway.Definition, operation, in, out); err != nil {
		return err
	}
	if c.output == "json" {
		e := json.NewEncoder(cmd.OutOrStdout())
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(out)
	}
	return show(cmd.OutOrStdout())
}

func webhookListCommand() *cobra.Command {
	var c caller
	in := &slipway.ListWebhooksInput{}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List webhooks, how they stand at the provider, and their last delivery",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := &slipway.ListWebhooksOutput{}
			return c.call(cmd, "ListWebhooks", in, out, func(w io.Writer) error { return showWebhooks(w, out) })
		},
	}
	cmd.Flags().StringVar(&in.ProjectName, "project", "", "of this project only")
	cmd.Flags().BoolVar(&in.Verify, "verify", false, "ask the provider how the webhooks stand")
	c.flags(cmd)
	return cmd
}

func webhookDeliveriesCommand() *cobra.Command {
	var c caller
	var limit int
	in := &slipway.ListWebhookDeliveriesInput{}
	cmd := &cobra.Command{
		Use:   "deliveries",
		Short: "List what was delivered, newest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 1 || limit > 100 {
				return usagef("--limit %d: expected 1 to 100", limit)
			}
			in.MaxResults = &limit
			out := &slipway.ListWebhookDeliveriesOutput{}
			return c.call(cmd, "ListWebhookDeliveries", in, out, func(w io.Writer) error { return showDeliveries(w, out) })
		},
	}
	cmd.Flags().StringVar(&in.ProjectName, "project", "", "what this project heard only")
	cmd.Flags().IntVar(&limit, "limit", 30, "how many, at most 100")
	cmd.Flags().StringVar(&in.NextToken, "before", "", "those before this delivery only, such as d-123")
	c.flags(cmd)
	return cmd
}

func webhookExplainCommand() *cobra.Command {
	var c caller
	var payload bool
	cmd := &cobra.Command{
		Use:   "explain DELIVERY-ID",
		Short: "Say why a delivery started builds or did not",
		Long: `Say why a delivery started builds or did not: whether its signature fits, and for
every project that heard it each filter, the value that it saw and its verdict.

DELIVERY-ID is what 'slipway webhook deliveries' lists, such as d-123.`,
		Args: oneDelivery("explain"),
		RunE: func(cmd *cobra.Command, args []string) error {
			out := &slipway.DescribeWebhookDeliveryOutput{}
			return c.call(cmd, "DescribeWebhookDelivery", &slipway.DescribeWebhookDeliveryInput{ID: args[0]}, out, func(w io.Writer) error {
				if payload {
					_, err := fmt.Fprintln(w, out.Payload)
					return err
				}
				return showDelivery(w, out)
			})
		},
	}
	cmd.Flags().BoolVar(&payload, "payload", false, "print the payload and nothing else")
	c.flags(cmd)
	return cmd
}

func webhookTestCommand() *cobra.Command {
	var c caller
	var file, filters string
	in := &slipway.TestWebhookInput{}
	cmd := &cobra.Command{
		Use:   "test PROJECT",
		Short: "Hold a payload against a project's filters, or others, without building",
		Long: `Hold a payload against a project's filters, or others, without building anything.

The payload is a file, such as one copied from the provider's page of recent
deliveries, or a delivery that is stored here:

    slipway webhook test app --payload push.json
    slipway webhook test app --delivery d-123 --filters proposed.json

The file of --filters holds what create-webhook takes as --filter-groups.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("webhook test needs one project's name; 'aws codebuild list-projects' lists them")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			in.ProjectName = args[0]
			if (file == "") == (in.DeliveryID == "") {
				return usagef("webhook test needs either --payload FILE or --delivery ID")
			}
			if file != "" {
				text, err := readFile(cmd, file)
				if err != nil {
					return err
				}
				in.Payload = string(text)
			}
			if filters != "" {
				text, err := readFile(cmd, filters)
				if err != nil {
					return err
				}
				if in.FilterGroups, err = readFilters(text); err != nil {
					return usagef("--filters %s: %w", filters, err)
				}
			}
			out := &slipway.TestWebhookOutput{}
			return c.call(cmd, "TestWebhook", in, out, func(w io.Writer) error { return showTest(w, out) })
		},
	}
	cmd.Flags().StringVar(&file, "payload", "", "file with the payload; - for standard input")
	cmd.Flags().StringVar(&in.DeliveryID, "delivery", "", "a stored delivery, such as d-123, whose payload is used")
	cmd.Flags().StringVar(&in.Event, "event", "", "the event as the provider's header says it, such as push or 'Merge Request Hook', if the payload does not show it")
	cmd.Flags().StringVar(&filters, "filters", "", "file with filter groups to use instead of the project's, as JSON")
	c.flags(cmd)
	return cmd
}

func webhookRedeliverCommand() *cobra.Command {
	var c caller
	cmd := &cobra.Command{
		Use:   "redeliver DELIVERY-ID",
		Short: "Evaluate a stored delivery anew against today's filters, and build what they let through",
		Args:  oneDelivery("redeliver"),
		RunE: func(cmd *cobra.Command, args []string) error {
			out := &slipway.RedeliverWebhookDeliveryOutput{}
			return c.call(cmd, "RedeliverWebhookDelivery", &slipway.RedeliverWebhookDeliveryInput{ID: args[0]}, out, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "Delivered again as %s. See what comes of it: slipway webhook explain %s\n", out.ID, out.ID)
				return err
			})
		},
	}
	c.flags(cmd)
	return cmd
}

func oneDelivery(command string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usagef("webhook %s needs one delivery's id, such as d-123; 'slipway webhook deliveries' lists them", command)
		}
		return nil
	}
}

func readFile(cmd *cobra.Command, name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(cmd.InOrStdin())
	}
	return os.ReadFile(name)
}

// readFilters reads filter groups as create-webhook takes them, alone or as the
// member filterGroups of an object.
func readFilters(text []byte) ([][]slipway.TestFilter, error) {
	var groups [][]api.WebhookFilter
	if strings.HasPrefix(strings.TrimSpace(string(text)), "{") {
		var object struct {
			FilterGroups [][]api.WebhookFilter `json:"filterGroups"`
		}
		if err := json.Unmarshal(text, &object); err != nil {
			return nil, err
		}
		groups = object.FilterGroups
	} else if err := json.Unmarshal(text, &groups); err != nil {
		return nil, fmt.Errorf("expected groups of filters, such as [[{\"type\": \"EVENT\", \"pattern\": \"PUSH\"}]]: %w", err)
	}
	if len(groups) == 0 {
		return nil, errors.New("there is no filter group in it")
	}
	out := make([][]slipway.TestFilter, len(groups))
	for i, group := range groups {
		for _, f := range group {
			out[i] = append(out[i], slipway.TestFilter{Type: string(f.Type), Pattern: f.Pattern, ExcludeMatchedPattern: value(f.ExcludeMatchedPattern)})
		}
	}
	return out, nil
}
