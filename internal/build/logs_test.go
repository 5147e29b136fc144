package build_test

import (
	"encoding/json"
	"testing"

	"slipway/internal/api"
	"slipway/internal/build"
	"slipway/internal/fault"
	"slipway/internal/outbox"
)

func TestWhereALogGoes(t *testing.T) {
	for name, c := range map[string]struct {
		logs               api.LogsConfig
		arn, link          string // less the build's UUID
		log, stream, owing bool
	}{
		"as nothing else is said": {api.LogsConfig{}, "", "", true, true, false},
		"nowhere":                 {api.LogsConfig{CloudWatchLogs: &api.CloudWatchLogsConfig{Status: "DISABLED"}}, "", "", false, false, false},
		"to S3 too": {
			api.LogsConfig{S3Logs: &api.S3LogsConfig{Status: "ENABLED", Location: new("bucket/build logs")}},
			"arn:aws:s3:::bucket/build logs/", "https://s3.console.aws.amazon.com/s3/object/bucket/build%20logs/", true, true, true,
		},
		"to S3 only, named by its ARN": {
			api.LogsConfig{CloudWatchLogs: &api.CloudWatchLogsConfig{Status: "DISABLED"}, S3Logs: &api.S3LogsConfig{Status: "ENABLED", Location: new("arn:aws:s3:::bucket")}},
			"arn:aws:s3:::bucket/", "https://s3.console.aws.amazon.com/s3/object/bucket/", true, false, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := started(t, nil, api.StartBuildInput{LogsConfigOverride: &c.logs})
			uuid := (*b.Public.ID)[len("my-demo:"):]
			if _, ok, err := b.OweLog(at(1)); ok || err != nil {
				t.Errorf("a build that has not begun owes its log: %t, %v", ok, err)
			}
			b.Claim([]byte("hash"), at(1), at(31))
			b.Begin(at(2), at(32))
			apply(t, &b, enter(3, "DOWNLOAD_SOURCE"), leave(3, "FAILED"), end(4, "FAILED"))
			if c.arn != "" {
				c.arn, c.link = c.arn+uuid+".gz", c.link+uuid+".gz?region=us-west-2"
			}
			l := b.Public.Logs
			if deref(l.S3LogsARN) != c.arn || deref(l.S3DeepLink) != c.link {
				t.Errorf("the log is at %q, %q; want %q, %q", deref(l.S3LogsARN), deref(l.S3DeepLink), c.arn, c.link)
			}
			if b.State.HasLog != c.log || b.KeepsStream() != c.stream || (l.GroupName != nil) != c.stream {
				t.Errorf("has a log: %t, keeps it: %t, %+v; want %t, %t", b.State.HasLog, b.KeepsStream(), l, c.log, c.stream)
			}
			item, ok, err := b.OweLog(at(5))
			if ok != c.owing || err != nil {
				t.Fatalf("the log is owed: %t, %v; want %t", ok, err, c.owing)
			}
			if _, err := b.LogLocation(); (fault.KindOf(err) == fault.Invalid) == c.owing {
				t.Errorf("LogLocation: %v", err)
			}
			if !ok {
				return
			}
			var d build.LogDebt
			if err := json.Unmarshal(item.Payload, &d); err != nil || d.Build != *b.Public.ID || d.Scope() != b.Scope || item.Kind != outbox.LogCopy || item.State != outbox.Owed {
				t.Errorf("the item is %+v, %v", item, err)
			}
		})
	}
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
