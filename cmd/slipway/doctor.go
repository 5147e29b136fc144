package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"slipway/internal/api/slipway"
	"slipway/internal/doctor"
	"slipway/internal/runner/docker"
	"slipway/internal/runner/local"
	"slipway/internal/seal"
	"slipway/internal/store"
)

// onlyWarnings is doctor's exit code when nothing is broken, but something may be.
const onlyWarnings = 3

func doctorCommand() *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look at everything once, and say what is wrong and how to fix it",
		Long: `Look at everything once: the clock, the data folder, the key, the database, the
sandbox, git, the addresses, every source credential, every webhook at its
provider with its last delivery, and Docker. Each finding that is not well has
its fix. Nothing is changed.

A running server looks itself, at its own settings. Without one only this machine
is looked at, and doctor says so.

Exit codes, for scripts: 0 all is well, 1 something is broken (or doctor itself
failed), 2 the command line is wrong, 3 there are warnings and nothing worse.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := t.check(); err != nil {
				return err
			}
			all, err := diagnose(cmd.Context(), &t)
			if err != nil {
				return err
			}
			out := slipway.DiagnoseOutput{Findings: all}
			if err := t.answer(cmd.OutOrStdout(), out, func(w io.Writer) { printFindings(w, all) }); err != nil {
				return err
			}
			return outcome(all)
		},
	}
	t.flags(cmd)
	return cmd
}

// diagnose asks the server on a data folder, or looks itself if none answers.
func diagnose(ctx context.Context, t *target) ([]slipway.Finding, error) {
	d := dataFolder(t.data)
	c, err := connect(ctx, d)
	if err == nil {
		var out slipway.DiagnoseOutput
		err := c.Call(ctx, slipway.Definition, "Diagnose", &slipway.DiagnoseInput{}, &out)
		return out.Findings, err
	}
	dir, absErr := filepath.Abs(t.data)
	if absErr != nil {
		return nil, absErr
	}
	none := slipway.Finding{Area: doctor.AreaServer, Level: slipway.FindingLevelWarning,
		Message: "No server answers, so only this machine was looked at, and no credential or webhook: " + err.Error() + ".",
		Fix:     "Start the server with 'slipway serve --data " + dir + "' and run doctor again."}
	return append([]slipway.Finding{none}, localMachine(dataFolder(dir)).Findings(ctx)...), nil
}

// localMachine is this machine as a server on d would find it. What has not
// been made yet is not looked at.
func localMachine(d dataFolder) doctor.Machine {
	m := doctor.Machine{Data: string(d), Sandbox: "auto", Probe: local.Probe}
	uri := "file://" + d.file("key.json")
	if e, err := d.readEndpoint(); err == nil && e.Key != "" {
		uri = e.Key
	}
	if _, err := os.Stat(d.file(store.FileName)); err != nil {
		return m
	}
	m.Key = uri
	m.OpenKey = func() (string, error) {
		keys, err := seal.Open(uri)
		if err != nil {
			return "", err
		}
		return keys.KeyID(), nil
	}
	m.Database = func(ctx context.Context) (int64, []string, error) {
		db, err := store.Open(ctx, string(d))
		if err != nil {
			return 0, nil, err
		}
		defer db.Close()
		return db.Check(ctx)
	}
	return m
}

// outcome is the exit code that the worst finding calls for.
func outcome(all []slipway.Finding) error {
	code := exitCode(0)
	for _, f := range all {
		switch f.Level {
		case slipway.FindingLevelError:
			return exitCode(1)
		case slipway.FindingLevelWarning:
			code = onlyWarnings
		}
	}
	if code != 0 {
		return code
	}
	return nil
}

// levels in words, as wide as the widest.
var levelWords = map[slipway.FindingLevel]string{
	slipway.FindingLevelOk: "ok     ", slipway.FindingLevelWarning: "WARNING", slipway.FindingLevelError: "ERROR  ",
}

func printFindings(w io.Writer, all []slipway.Finding) {
	count := map[slipway.FindingLevel]int{}
	for _, f := range all {
		count[f.Level]++
		about := f.Area
		if f.Subject != "" {
			about += " " + f.Subject
		}
		fmt.Fprintf(w, "%s  %s: %s\n", levelWords[f.Level], about, f.Message)
		if f.Fix != "" {
			fmt.Fprintf(w, "         → %s\n", f.Fix)
		}
	}
	fmt.Fprintf(w, "\n%s\n", verdict(count[slipway.FindingLevelError], count[slipway.FindingLevelWarning]))
}

func verdict(errors, warnings int) string {
	switch {
	case errors == 0 && warnings == 0:
		return "All is well."
	case errors == 0:
		return fmt.Sprintf("Nothing is broken; warnings: %d.", warnings)
	}
	return fmt.Sprintf("Broken: %d; warnings: %d.", errors, warnings)
}

// machine is where this server runs, for doctor.
func (s *server) machine(keys *seal.Keyset, dates *doctor.Dates) doctor.Machine {
	m := doctor.Machine{
		Data: string(s.o.data), Serving: true, Key: s.o.key, Dates: dates, Now: time.Now, PublicURL: s.o.publicURL,
		OpenKey:  func() (string, error) { return keys.KeyID(), nil },
		Database: s.db.Check,
	}
	if slices.Contains(s.runners, localRunner) {
		m.Sandbox, m.Probe = s.o.sandbox, local.Probe
	}
	if s.docker != nil {
		m.Engine = s.lookAtEngine
	}
	return m
}

// lookAtEngine looks at the engine that builds have containers of, and at the
// images that are mapped.
func (s *server) lookAtEngine(ctx context.Context) []slipway.Finding {
	var all []slipway.Finding
	find := func(subject string, level slipway.FindingLevel, message, fix string) {
		all = append(all, slipway.Finding{Area: doctor.AreaDocker, Subject: subject, Level: level, Message: message, Fix: fix})
	}
	engine, err := docker.Probe(ctx, os.Getenv("DOCKER_HOST"))
	if err != nil {
		find(s.docker.Engine().Socket, slipway.FindingLevelError, "Builds with an image cannot start: "+err.Error()+".", "Start Docker again, and look at its log.")
		return all
	}
	defer engine.Close()
	find(engine.Socket, slipway.FindingLevelOk, fmt.Sprintf("Docker %s answers, and builds with an image run in its containers (%d processors, %s).",
		engine.Version, engine.Processors, doctor.Bytes(engine.Memory)), "")
	if s.o.images.Len() == 0 {
		message := "No image is mapped. CodeBuild's images of Amazon Linux are pulled from where AWS publishes them; it publishes none of Ubuntu (aws/codebuild/standard:…)."
		if s.o.runner == autoRunner {
			message = "No image is mapped: builds that name one of CodeBuild's own use the tools of this machine."
		}
		find("", slipway.FindingLevelOk, message+" 'slipway serve --docker-image NAME=IMAGE' says which image stands for one.", "")
	}
	for _, e := range s.o.images.Entries() {
		name, image := e[0], e[1]
		if strings.Contains(image, "*") {
			find(name, slipway.FindingLevelOk, "It stands for "+image+".", "")
			continue
		}
		switch size, here, err := engine.Has(ctx, image); {
		case err != nil:
			find(name, slipway.FindingLevelWarning, "It stands for "+image+", which could not be looked for: "+err.Error()+".", "")
		case here:
			find(name, slipway.FindingLevelOk, fmt.Sprintf("It stands for %s, which is here (%s).", image, doctor.Bytes(size)), "")
		default:
			find(name, slipway.FindingLevelOk, fmt.Sprintf("It stands for %s, which is not here yet: the first build that needs it pulls it, or 'docker pull %s' now.", image, image), "")
		}
	}
	return all
}

// Findings looks at where this server runs; where it listens is known only once
// it does.
func (s *server) Findings(ctx context.Context) []slipway.Finding {
	m := s.where
	m.Listen = s.url
	return m.Findings(ctx)
}
