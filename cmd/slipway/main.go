// Command slipway is AWS CodeBuild on your own machines: the server and the
// commands around it. It is the only place that knows implementations by name.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"slipway/internal/agent"
)

// version is set by the linker.
var version = "dev"

func main() { os.Exit(run()) }

// run is main with an exit code: 0 all is well, 1 it failed, 2 the command line
// is wrong; some commands have others for scripts, see their help.
func run() int {
	// The agent starts once per build: nothing of the server's commands is set up for it.
	if len(os.Args) > 1 && os.Args[1] == "agent" {
		self, err := os.Executable()
		if err != nil {
			fmt.Fprintln(os.Stderr, "slipway:", err)
			return 1
		}
		return agent.Main(context.Background(), []string{self, "agent"}, os.Args[2:], os.Stdin, os.Stdout, os.Stderr)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command().ExecuteContext(ctx); err != nil {
		if code, ok := errors.AsType[exitCode](err); ok {
			return int(code)
		}
		fmt.Fprintln(os.Stderr, "slipway:", err)
		if errors.As(err, new(usageError)) {
			return 2
		}
		return 1
	}
	return 0
}

// usageError is a command line that cannot be carried out as written.
type usageError struct{ error }

// exitCode ends a command that has said all there is to say.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func command() *cobra.Command {
	root := &cobra.Command{
		Use:   "slipway",
		Short: "AWS CodeBuild on your own machines",
		Long: `Slipway speaks CodeBuild's wire protocol, so that the AWS CLI, SDKs and Terraform
work against it unchanged, and it really builds.

Start with 'slipway demo', which shows the whole main job in a minute, or with
'slipway serve' and, in another shell, 'eval "$(slipway env)"'.

Exit codes: 0 all is well, 1 it failed, 2 the command line is wrong; 'doctor' and
'credential verify' have more to say, see their help.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(serveCommand(), envCommand(), demoCommand(), runCommand(), statusCommand(), credentialCommand(), secretCommand(), webhookCommand(), doctorCommand(), lintCommand(), consoleCommand(), versionCommand())
	return root
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "slipway", version)
			return err
		},
	}
}
