package build

import (
	"net/url"
	"strings"

	"slipway/internal/api"
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

// keepsLog reports whether the build's log is kept at all.
func (b Build) keepsLog() bool { return b.logsConfig().Status != api.LogsConfigStatusTypeDisabled }

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
	return l
}

// logsAfter is what it says from then on.
func (b Build) logsAfter() *api.LogsLocation {
	group, stream := b.LogGroup(), b.LogStream()
	l := *b.Public.Logs
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
