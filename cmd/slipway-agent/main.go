// Command slipway-agent runs one build for a Slipway server. The server starts
// it; it is of no use by hand.
package main

import (
	"context"
	"fmt"
	"os"

	"slipway/internal/agent"
)

func main() {
	self, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, "slipway-agent:", err)
		os.Exit(1)
	}
	os.Exit(agent.Main(context.Background(), []string{self}, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
