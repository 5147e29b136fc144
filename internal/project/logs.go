package project

import (
	"slipway/internal/api"
	"slipway/internal/lazy"
)

// What CloudWatch Logs accepts as names.
var (
	groupName  = lazy.Regexp(`^[A-Za-z0-9._/#-]{1,512}$`)
	streamName = lazy.Regexp(`^[^:*\x00-\x1f\x7f]{1,450}$`) // leaves room for the build's own part
)

// logs holds log settings by themselves. Each half may be absent,
// and so may all; empty names count as absent.
func (f *faults) logs(c *api.LogsConfig) {
	if c == nil {
		return
	}
	if w := c.CloudWatchLogs; w != nil {
		if g := text(w.GroupName); g != "" && !groupName().MatchString(g) {
			f.add("logsConfig", "cloudWatchLogs.groupName", "Invalid logsConfig: cloudWatchLogs groupName must have 1 to 512 letters, digits or any of ._/#-")
		}
		if s := text(w.StreamName); s != "" && !streamName().MatchString(s) {
			f.add("logsConfig", "cloudWatchLogs.streamName", "Invalid logsConfig: cloudWatchLogs streamName must have 1 to 450 characters and no colon, asterisk or control character")
		}
	}
	if s := c.S3Logs; s != nil && s.Status == api.LogsConfigStatusTypeEnabled && text(s.Location) == "" {
		f.add("logsConfig", "s3Logs.location", "Invalid logsConfig: s3Logs location must be provided if status is 'ENABLED'")
	}
}
