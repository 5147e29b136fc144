// Package doctor looks at the machine that a server runs on and says what is
// wrong there, each finding with its fix. It changes nothing.
package doctor

import (
	"context"
	"fmt"
	"os"
	"time"

	"slipway/internal/api/slipway"
)

// A Machine is where a server runs. What is nil or empty is not looked at.
type Machine struct {
	Data      string                                                           // the data folder
	Serving   bool                                                             // the server on it is us
	Key       string                                                           // URI of the key that seals secrets
	OpenKey   func() (id string, err error)                                    // opens it
	Database  func(context.Context) (size int64, problems []string, err error) // looks through the database
	Sandbox   string                                                           // auto, bubblewrap or none; empty where no builds run
	Probe     func(context.Context) (bubblewrap string, err error)             // tries the sandbox
	Engine    func(context.Context) []slipway.Finding                          // looks at the engine that builds have containers of; nil means that they have none
	Listen    string                                                           // the address that clients reach, as a URL
	PublicURL string                                                           // as providers reach it
	Dates     *Dates                                                           // what the clocks of providers said
	Now       func() time.Time                                                 // nil means time.Now
}

// Areas of findings.
const (
	AreaServer     = "server"
	AreaClock      = "clock"
	AreaData       = "data"
	AreaKey        = "key"
	AreaDatabase   = "database"
	AreaSandbox    = "sandbox"
	AreaGit        = "git"
	AreaAddress    = "address"
	AreaDocker     = "docker"
	AreaCredential = "credential"
	AreaWebhook    = "webhook"
)

// Findings looks at the machine. ctx bounds the looks.
func (m Machine) Findings(ctx context.Context) []slipway.Finding {
	if m.Now == nil {
		m.Now = time.Now
	}
	all := m.clock()
	all = append(all, m.data()...)
	all = append(all, m.key()...)
	all = append(all, m.database(ctx)...)
	all = append(all, m.sandbox(ctx)...)
	all = append(all, git(ctx)...)
	all = append(all, m.address(ctx)...)
	if m.Engine != nil {
		return append(all, m.Engine(ctx)...)
	}
	return append(all, m.docker(ctx)...)
}

// The bounds of a clock that is wrong: signatures of AWS clients are good for
// five minutes, those of webhooks too.
const (
	skewWarning = 30 * time.Second
	skewError   = 4 * time.Minute
)

// built is a time that is over on every clock that is right.
var built = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func (m Machine) clock() []slipway.Finding {
	const fix = "Let the machine set its clock by itself: 'timedatectl set-ntp true', or your system's way to use NTP."
	now := m.Now()
	if now.Before(built) || now.After(built.AddDate(50, 0, 0)) {
		return one(AreaClock, "", slipway.FindingLevelError, "The clock says "+now.UTC().Format(time.RFC1123)+", which cannot be.", fix)
	}
	if m.Dates == nil {
		return one(AreaClock, "", slipway.FindingLevelOk, "The clock says "+now.UTC().Format(time.RFC1123)+".", "")
	}
	host, skew, known := m.Dates.Nearest()
	if !known {
		return one(AreaClock, "", slipway.FindingLevelOk, "The clock says "+now.UTC().Format(time.RFC1123)+"; no provider has answered yet that it could be compared with.", "")
	}
	level, said := slipway.FindingLevelOk, fmt.Sprintf("The clock agrees with that of %s.", host)
	if off := skew.Abs(); off > skewWarning {
		level = slipway.FindingLevelWarning
		if off > skewError {
			level = slipway.FindingLevelError
		}
		way := "behind"
		if skew < 0 {
			way = "ahead of"
		}
		return one(AreaClock, "", level, fmt.Sprintf("The clock is %s %s that of %s: signatures and expiries are judged wrongly.", off.Round(time.Second), way, host), fix)
	}
	return one(AreaClock, "", level, said, "")
}

func (m Machine) key() []slipway.Finding {
	if m.OpenKey == nil {
		return nil
	}
	id, err := m.OpenKey()
	if err != nil {
		return one(AreaKey, m.Key, slipway.FindingLevelError, "The key that seals secrets cannot be opened: "+err.Error()+".",
			"Put the key file back from your backup, readable by this user only, or name it with 'slipway serve --key'. Without it, tokens must be imported anew.")
	}
	return one(AreaKey, m.Key, slipway.FindingLevelOk, "The key that seals secrets opens (id "+id+"). A backup needs it beside the database.", "")
}

func (m Machine) database(ctx context.Context) []slipway.Finding {
	if m.Database == nil {
		return nil
	}
	size, problems, err := m.Database(ctx)
	switch {
	case err != nil:
		return one(AreaDatabase, "", slipway.FindingLevelError, "The database cannot be read: "+err.Error()+".", "Look at the disk, and restore the data folder from your backup if the file is damaged.")
	case len(problems) > 0:
		return one(AreaDatabase, "", slipway.FindingLevelError, "The database is damaged: "+problems[0]+".",
			"Stop the server, keep a copy of the data folder, and restore it from your backup; 'sqlite3 slipway.db .recover' saves what can be read.")
	}
	return one(AreaDatabase, "", slipway.FindingLevelOk, "The database is sound and has "+Bytes(size)+".", "")
}

func (m Machine) sandbox(ctx context.Context) []slipway.Finding {
	if m.Sandbox == "" || m.Probe == nil {
		return nil
	}
	if m.Sandbox == "none" {
		return one(AreaSandbox, "", slipway.FindingLevelWarning, "Builds run without a sandbox (--sandbox none): they can read and change whatever this user can, the tokens' key included.",
			"Start the server without --sandbox none, unless you trust every repository and pull request.")
	}
	bwrap, err := m.Probe(ctx)
	if err != nil {
		return one(AreaSandbox, "", slipway.FindingLevelWarning, "Builds run without a sandbox, and can read and change whatever this user can.", "Fix this: "+err.Error()+". Then start the server again.")
	}
	return one(AreaSandbox, "", slipway.FindingLevelOk, "Builds run in a bubblewrap sandbox ("+bwrap+").", "")
}

func one(area, subject string, level slipway.FindingLevel, message, fix string) []slipway.Finding {
	return []slipway.Finding{{Area: area, Subject: subject, Level: level, Message: message, Fix: fix}}
}

// Bytes returns a size for people.
func Bytes(n int64) string {
	const unit = 1 << 10
	size, names := float64(n), []string{"bytes", "KiB", "MiB", "GiB", "TiB"}
	for size >= unit && len(names) > 1 {
		size, names = size/unit, names[1:]
	}
	if names[0] == "bytes" {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%.1f %s", size, names[0])
}

// exists reports whether a path is there, whatever it is.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
