// Package arn builds and reads the names of AWS resources.
package arn

import (
	"strings"
)

// A Scope is where a resource lives: every name is unique within one.
type Scope struct {
	Account string // twelve digits
	Region  string // such as us-east-1
}

// Of returns the ARN of a resource of service in s; resource is "type/name" or "type:name".
func (s Scope) Of(service, resource string) string {
	return "arn:" + s.partition() + ":" + service + ":" + s.Region + ":" + s.Account + ":" + resource
}

func (s Scope) partition() string {
	switch {
	case strings.HasPrefix(s.Region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(s.Region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

// Project returns the ARN of a project.
func (s Scope) Project(name string) string { return s.Of("codebuild", "project/"+name) }

// Build returns the ARN of the build with the given id, "project:uuid".
func (s Scope) Build(id string) string { return s.Of("codebuild", "build/"+id) }

// ReportGroup returns the ARN of a report group.
func (s Scope) ReportGroup(name string) string { return s.Of("codebuild", "report-group/"+name) }

// Report returns the ARN of a report with an id, a UUID, in a report group.
func (s Scope) Report(group, id string) string { return s.Of("codebuild", "report/"+group+":"+id) }

// Token returns the ARN of the source credentials for a server type, such as GITHUB.
func (s Scope) Token(serverType string) string {
	return s.Of("codebuild", "token/"+strings.ToLower(serverType))
}

// LogGroup returns the ARN of a CloudWatch Logs group, without the trailing ":*".
func (s Scope) LogGroup(group string) string { return s.Of("logs", "log-group:"+group) }

// LogStream returns the ARN of a CloudWatch Logs stream.
func (s Scope) LogStream(group, stream string) string {
	return s.LogGroup(group) + ":log-stream:" + stream
}

// An ARN is a name in its parts.
type ARN struct {
	Partition, Service, Region, Account, Resource string
}

// Parse splits text into its parts; ok is false if text is no ARN.
func Parse(text string) (a ARN, ok bool) {
	p := strings.SplitN(text, ":", 6)
	if len(p) != 6 || p[0] != "arn" || p[1] == "" || p[2] == "" || p[5] == "" {
		return ARN{}, false
	}
	return ARN{p[1], p[2], p[3], p[4], p[5]}, true
}

// Local returns the name that nameOrARN gives to a codebuild resource of the
// given type ("project", "build") in s. A plain name is returned as it is; an
// ARN must be of that type, account and region, or ok is false.
func (s Scope) Local(resourceType, nameOrARN string) (name string, ok bool) {
	if !strings.HasPrefix(nameOrARN, "arn:") {
		return nameOrARN, nameOrARN != ""
	}
	a, ok := Parse(nameOrARN)
	if !ok || a.Service != "codebuild" || a.Account != s.Account || a.Region != s.Region {
		return "", false
	}
	name, ok = strings.CutPrefix(a.Resource, resourceType+"/")
	if !ok || name == "" {
		return "", false
	}
	return name, true
}
