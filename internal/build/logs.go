package build

import (
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"strings"
	"time"

	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/outbox"
)

// noName is how CodeBuild writes a group or stream that does not exist yet.
// Clients look for exactly this word before they try to read.
const noName = "null"

// LogGroup returns the name of the CloudWatch Logs group the build's log goes
// to: the configured one, or /aws/codebuild/<project>.
func (b Build) LogGroup() string {
	if c := b.logsConfig(); text(c.GroupName) != "" {
		return *c.GroupName
	}
	return "/aws/codebuild/" + text(b.Public.ProjectName)
}

// LogStream returns the name of the build's log stream: its UUID, below the
// configured prefix if there is one.
func (b Build) LogStream() string {
	if c := b.logsConfig(); text(c.StreamName) != "" {
		return *c.StreamName + "/" + b.uuid()
	}
	return b.uuid()
}

func (b Build) logsConfig() api.CloudWatchLogsConfig {
	if b.Public.Logs == nil || b.Public.Logs.CloudWatchLogs == nil {
		return api.CloudWatchLogsConfig{}
	}
	return *b.Public.Logs.CloudWatchLogs
}

// KeepsLog reports whether the build has a log at all. One that goes to S3 only
// is written to the same stream, until it is copied.
func (b Build) KeepsLog() bool { return b.KeepsStream() || b.copiesLog() }

// KeepsStream reports whether the build's log is to stay in CloudWatch Logs.
func (b Build) KeepsStream() bool {
	return b.logsConfig().Status != api.LogsConfigStatusTypeDisabled
}

// copiesLog reports whether the build's log goes to S3 when the build has ended.
func (b Build) copiesLog() bool {
	return b.Public.Logs != nil && b.Public.Logs.S3Logs != nil && b.Public.Logs.S3Logs.Status == api.LogsConfigStatusTypeEnabled
}

// LogLocation returns where the build's log goes in S3: gzip, by the build's
// UUID below the configured prefix.
func (b Build) LogLocation() (Location, error) {
	if !b.copiesLog() {
		return Location{}, fault.New(fault.Invalid, "The build's log does not go to S3.")
	}
	l := object(text(b.Public.Logs.S3Logs.Location))
	l.Key, l.Folder = strings.TrimPrefix(path.Join(l.Key, b.uuid()+".gz"), "/"), false
	return l, nil
}

// logsBefore is what a build says about its log before the stream exists, and
// for ever if it keeps none: where it is to go, and nothing under the link.
func (b Build) logsBefore() *api.LogsLocation {
	l := &api.LogsLocation{
		DeepLink:          new(b.console() + "#logEvent:group=" + noName + ";stream=" + noName),
		CloudWatchLogsARN: new(b.Scope.LogStream(noName, noName)),
	}
	if b.Public.Logs != nil {
		l.CloudWatchLogs, l.S3Logs = b.Public.Logs.CloudWatchLogs, b.Public.Logs.S3Logs
	}
	if at, err := b.LogLocation(); err == nil {
		l.S3LogsARN = new(at.arn(b.partition()))
		l.S3DeepLink = new("https://s3.console.aws.amazon.com/s3/object/" + (&url.URL{Path: at.Bucket + "/" + at.Key}).EscapedPath() + "?region=" + b.Scope.Region)
	}
	return l
}

// logsAfter is what it says from then on.
func (b Build) logsAfter() *api.LogsLocation {
	l := *b.Public.Logs
	if !b.KeepsStream() {
		return &l
	}
	group, stream := b.LogGroup(), b.LogStream()
	l.GroupName, l.StreamName = &group, &stream
	l.CloudWatchLogsARN = new(b.Scope.LogStream(group, stream))
	l.DeepLink = new(b.console() + "#logsV2:log-groups/log-group/" + linked(group) + "/log-events/" + linked(stream))
	return &l
}

func (b Build) console() string {
	return "https://console.aws.amazon.com/cloudwatch/home?region=" + b.Scope.Region
}

// linked writes a name as the console's links do: escaped twice, with $ in the
// place of %, so that "/" is "$252F".
func linked(name string) string {
	once := strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
	return strings.ReplaceAll(url.QueryEscape(once), "%", "$")
}

// A LogDebt is the payload of a log that is to be copied to S3, in the outbox.
type LogDebt struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	Build   string `json:"build"` // the id
}

// Scope returns where the build is.
func (d LogDebt) Scope() arn.Scope { return arn.Scope{Account: d.Account, Region: d.Region} }

// OweLog returns the item that owes S3 the log of b, and whether it is to have
// it: b has ended, and has a log. It belongs into the change by which b ends.
func (b Build) OweLog(now time.Time) (item outbox.Item, ok bool, err error) {
	if !b.Finished() || !b.State.HasLog || !b.copiesLog() {
		return outbox.Item{}, false, nil
	}
	id := text(b.Public.ID)
	payload, err := json.Marshal(LogDebt{Account: b.Scope.Account, Region: b.Scope.Region, Build: id})
	if err != nil {
		return outbox.Item{}, false, fmt.Errorf("encode log debt: %w", err)
	}
	return outbox.Item{
		Kind: outbox.LogCopy, Subject: "log:" + id, // of its own: a store that is down must not keep statuses waiting
		Payload: payload, State: outbox.Owed, NotBefore: now, Created: now,
	}, true, nil
}
