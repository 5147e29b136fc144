package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"slipway/internal/api/slipway"
	"slipway/internal/awsjson"
)

func consoleCommand() *cobra.Command {
	var t target
	var open bool
	cmd := &cobra.Command{
		Use:   "console",
		Short: "Print a link that signs you in at the web console",
		Long: `Print a link to the web console of the server on this data folder. It signs in
once, as the owner, within ten minutes: whoever has it first can do what the owner
can. On a terminal of a machine with a display it is also opened in the browser;
--open=false leaves it at printing, for machines whose other users can see what
programs are started with.

A session lasts for twelve hours, or until it was not used for one. 'slipway
console sessions' lists those that there are and 'slipway console revoke' ends them.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var out slipway.CreateSignInLinkOutput
			if err := t.call(cmd.Context(), "CreateSignInLink", &slipway.CreateSignInLinkInput{}, &out); err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			if err := t.answer(w, out, func(w io.Writer) {
				fmt.Fprintf(w, "%s\n\nIt signs in once, within %s. For another one run 'slipway console' again.\n", out.URL, lasts(time.Until(out.Expires.Time)))
			}); err != nil {
				return err
			}
			if open && t.output == "text" && isTerminal(w) {
				return browse(cmd.Context(), out.URL)
			}
			return nil
		},
	}
	t.flags(cmd)
	cmd.Flags().BoolVar(&open, "open", true, "open the link in the browser, on a terminal of a machine with a display")
	cmd.AddCommand(consoleSessionsCommand(), consoleRevokeCommand())
	return cmd
}

// lasts is a time that is left, in whole minutes.
func lasts(d time.Duration) string {
	if m := int(d.Round(time.Minute) / time.Minute); m != 1 {
		return fmt.Sprintf("%d minutes", m)
	}
	return "1 minute"
}

// browse opens a page in the browser of whoever sits at this machine, and waits
// for nothing: the browser may well stay. Where there is no display or no opener
// the page was printed, and that is all.
func browse(ctx context.Context, page string) error {
	path, err := exec.LookPath(opener(runtime.GOOS, os.Getenv))
	if err != nil {
		return nil
	}
	return exec.CommandContext(context.WithoutCancel(ctx), path, page).Start() //nolint:gosec // the page is our server's
}

// opener returns the program that opens pages on a system, or "" if there is
// nobody to show them to.
func opener(system string, env func(string) string) string {
	switch {
	case env("SSH_CONNECTION") != "" && env("DISPLAY") == "": // the display is not where the person is
		return ""
	case system == "darwin":
		return "open"
	case env("DISPLAY") != "" || env("WAYLAND_DISPLAY") != "":
		return "xdg-open"
	}
	return ""
}

func consoleSessionsCommand() *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use:   "sessions",
		Short: "List who is signed in",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var out slipway.ListSessionsOutput
			if err := t.call(cmd.Context(), "ListSessions", &slipway.ListSessionsInput{}, &out); err != nil {
				return err
			}
			return t.answer(cmd.OutOrStdout(), out, func(w io.Writer) { printSessions(w, out.Sessions) })
		},
	}
	t.flags(cmd)
	return cmd
}

func printSessions(w io.Writer, all []slipway.Session) {
	if len(all) == 0 {
		fmt.Fprintln(w, "Nobody is signed in. Print a link with: slipway console")
		return
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SESSION\tUSER\tWITH\tSIGNED IN\tUNUSED UNTIL\tENDS")
	for _, s := range all {
		with := map[slipway.SessionOrigin]string{slipway.SessionOriginLink: "link", slipway.SessionOriginAccessKey: "access key"}[s.Origin]
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", s.ID, s.User, with, stamp(s.Created.Time), stamp(s.Expires.Time), stamp(s.Ends.Time))
	}
	_ = table.Flush() // it writes to memory
}

func consoleRevokeCommand() *cobra.Command {
	var t target
	var all bool
	cmd := &cobra.Command{
		Use:   "revoke SESSION|--all",
		Short: "End a session, or all of them",
		Long: `End a session: its keys are refused from that moment on, and links that it made
sign nobody in. 'slipway console sessions' lists the sessions. Builds that it
started go on.`,
		Args: func(_ *cobra.Command, args []string) error {
			if all && len(args) == 0 || !all && len(args) == 1 && args[0] != "" {
				return nil
			}
			return usagef("console revoke needs one session, or --all; 'slipway console sessions' lists them")
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := t.check(); err != nil {
				return err
			}
			c, err := connect(cmd.Context(), dataFolder(t.data))
			if err != nil {
				return err
			}
			gone := 1
			if all {
				gone, err = revokeAll(cmd.Context(), c)
			} else {
				err = c.Call(cmd.Context(), slipway.Definition, "RevokeSession", &slipway.RevokeSessionInput{ID: args[0]}, nil)
			}
			if err != nil {
				return err
			}
			answer := struct {
				Ended int `json:"ended"`
			}{gone}
			return t.answer(cmd.OutOrStdout(), answer, func(w io.Writer) {
				if gone == 1 {
					fmt.Fprintln(w, "Ended 1 session.")
					return
				}
				fmt.Fprintf(w, "Ended %d sessions.\n", gone)
			})
		},
	}
	t.flags(cmd)
	cmd.Flags().BoolVar(&all, "all", false, "end all sessions")
	return cmd
}

// revokeAll ends all sessions and returns how many there were.
func revokeAll(ctx context.Context, c *awsjson.Client) (gone int, err error) {
	var out slipway.ListSessionsOutput
	if err := c.Call(ctx, slipway.Definition, "ListSessions", &slipway.ListSessionsInput{}, &out); err != nil {
		return 0, err
	}
	for _, s := range out.Sessions {
		err := c.Call(ctx, slipway.Definition, "RevokeSession", &slipway.RevokeSessionInput{ID: s.ID}, nil)
		if e, ok := errors.AsType[*awsjson.Error](err); ok && e.Name == "ResourceNotFoundException" {
			continue // it ended by itself meanwhile
		}
		if err != nil {
			return gone, err
		}
		gone++
	}
	return gone, nil
}
