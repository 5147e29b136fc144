package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"slipway/internal/accesskey"
	"slipway/internal/awsjson"
	"slipway/internal/store"
)

func envCommand() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use:   "env",
		Short: "Print the exports that point AWS clients at a running server",
		Long: `Print shell exports that point AWS clients at the server on this data folder:

    eval "$(slipway env)"

It holds the owner's secret access key: anyone who sees it can use the server.
AWS CLI 2.13 and 1.29 or newer read the endpoints from the environment. Older ones
need them as a flag: aws --endpoint-url "$AWS_ENDPOINT_URL_CODEBUILD" codebuild …`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := connect(cmd.Context(), dataFolder(data))
			if err != nil {
				return err
			}
			return printEnv(cmd.OutOrStdout(), c)
		},
	}
	cmd.Flags().StringVar(&data, "data", defaultData(), "the server's data folder")
	return cmd
}

// printEnv writes what a POSIX shell evaluates. Only the services we speak are
// pointed here, so that calls to others fail by themselves rather than reach us.
func printEnv(w io.Writer, c *awsjson.Client) error {
	export := [][2]string{
		{"AWS_ENDPOINT_URL_CODEBUILD", c.Endpoint},
		{"AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", c.Endpoint},
		{"AWS_ENDPOINT_URL_STS", c.Endpoint},
		{"AWS_ENDPOINT_URL_SSM", c.Endpoint},
		{"AWS_ENDPOINT_URL_SECRETS_MANAGER", c.Endpoint},
		{"AWS_ACCESS_KEY_ID", c.Key.ID},
		{"AWS_SECRET_ACCESS_KEY", c.Key.Secret.Reveal()},
		{"AWS_REGION", c.Region},
		{"AWS_DEFAULT_REGION", c.Region},
	}
	var b strings.Builder
	b.WriteString("unset AWS_PROFILE AWS_SESSION_TOKEN\n")
	for _, e := range export {
		fmt.Fprintf(&b, "export %s='%s'\n", e[0], strings.ReplaceAll(e[1], "'", `'\''`))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// connect returns a client of the server on d, signing with the owner's key.
// An error says whether no server runs, or the key cannot be opened.
func connect(ctx context.Context, d dataFolder) (*awsjson.Client, error) {
	e, err := d.readEndpoint()
	if err != nil {
		return nil, err
	}
	if err := answers(ctx, e.URL); err != nil {
		return nil, fmt.Errorf("nothing answers on %s, where the server on %s was last: start it with 'slipway serve'", e.URL, d)
	}
	key, err := readOwnerKey(ctx, d, e)
	if err != nil {
		return nil, err
	}
	return &awsjson.Client{Endpoint: e.URL, Key: key, Region: e.Region}, nil
}

func answers(ctx context.Context, endpoint string) error {
	u, err := url.Parse(endpoint)
	if err != nil {
		return err
	}
	dialer := net.Dialer{Timeout: 3 * time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return err
	}
	return conn.Close()
}

// readOwnerKey reads the owner's key beside the running server.
func readOwnerKey(ctx context.Context, d dataFolder, e endpoint) (accesskey.Key, error) {
	keys, err := d.keyset(e.Key)
	if err != nil {
		return accesskey.Key{}, err
	}
	db, err := store.Open(ctx, string(d))
	if err != nil {
		return accesskey.Key{}, err
	}
	defer db.Close()
	return ownerKey(ctx, db, keys, e.Account)
}
