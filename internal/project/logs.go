package project

import (
	"regexp"

	"slipway/internal/api"
)

// What CloudWatch Logs accepts as names.
var (
	groupName  = regexp.MustCompile(`^[A-Za-z0-9._/#-]{1,512}$`)
	streamName = regexp.MustCompile(`^[^:*\x00-\x1f\x7f]{1,450}$`) // leaves room for the build's own part
)

// CheckLogsConfig holds log settings by themselves. Each half may be absent,
// and so may all; empty names count as absent.
func CheckLogsConfig(c *api.LogsConfig) error {
	if c == nil {
		return nil
	}
	if w := c.CloudWatchLogs; w != nil {
		if g := text(w.GroupName); g != "" && !groupName.MatchString(g) {
			return invalid("Invalid logsConfig: cloudWatchLogs groupName must have 1 to 512 letters, digits or any of ._/#-")
		}
		if s := text(w.StreamName); s != "" && !streamName.MatchString(s) {
			return invalid("Invalid logsConfig: cloudWatchLogs streamName must have 1 to 450 characters and no colon, asterisk or control character")
		}
	}
	if s := c.S3Logs; s != nil && s.Status == api.LogsConfigStatusTypeEnabled && text(s.Location) == "" {
		return invalid("Invalid logsConfig: s3Logs location must be provided if status is 'ENABLED'")
	}
	return nil
}
