package report

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/lazy"
)

// MaxGroups is how many report groups an account has at most in a region.
const MaxGroups = 1000

// A Group is a report group: its reports are those of runs of the same tests.
type Group struct {
	Scope  arn.Scope
	Public api.ReportGroup // what BatchGetReportGroups answers
}

// Name returns the group's name.
func (g Group) Name() string { return text(g.Public.Name) }

// Deleting reports whether the group and its reports are going.
func (g Group) Deleting() bool { return g.Public.Status == api.ReportGroupStatusTypeDeleting }

// groupName is what a group can be called: it is safe in an ARN and in a path.
var groupName = lazy.Regexp(`^[A-Za-z0-9][A-Za-z0-9_-]{1,127}$`)

// NewGroup returns the group that CreateReportGroup asks for, or Invalid.
func NewGroup(scope arn.Scope, in *api.CreateReportGroupInput, now time.Time) (Group, error) {
	if err := checkGroupName(in.Name); err != nil {
		return Group{}, err
	}
	if err := checkExport(in.ExportConfig); err != nil {
		return Group{}, err
	}
	if err := checkTags(in.Tags); err != nil {
		return Group{}, err
	}
	g := newGroup(scope, in.Name, in.Type, now)
	g.Public.ExportConfig = in.ExportConfig
	if in.Tags != nil {
		g.Public.Tags = in.Tags
	}
	return g, nil
}

// NewGroupOfBuild returns the group that a build makes by naming it.
func NewGroupOfBuild(scope arn.Scope, name string, t api.ReportType, now time.Time) (Group, error) {
	if err := checkGroupName(name); err != nil {
		return Group{}, err
	}
	return newGroup(scope, name, t, now), nil
}

func newGroup(scope arn.Scope, name string, t api.ReportType, now time.Time) Group {
	return Group{Scope: scope, Public: api.ReportGroup{
		ARN: new(scope.ReportGroup(name)), Name: &name, Type: t, Status: api.ReportGroupStatusTypeActive,
		Created: api.At(now), LastModified: api.At(now),
		ExportConfig: &api.ReportExportConfig{ExportConfigType: api.ReportExportConfigTypeNoExport}, Tags: []api.Tag{},
	}}
}

// Update returns g as UpdateReportGroup changes it, or Invalid: an export config
// replaces the old one whole, tags all old ones.
func (g Group) Update(in *api.UpdateReportGroupInput, now time.Time) (Group, error) {
	if g.Deleting() {
		return g, fault.New(fault.Invalid, "The report group %s is being deleted", g.Name())
	}
	if in.ExportConfig != nil {
		if err := checkExport(in.ExportConfig); err != nil {
			return g, err
		}
		g.Public.ExportConfig = in.ExportConfig
	}
	if in.Tags != nil {
		if err := checkTags(in.Tags); err != nil {
			return g, err
		}
		g.Public.Tags = in.Tags
	}
	g.Public.LastModified = api.At(now)
	return g, nil
}

// GroupNameOf returns the name of the group that a buildspec of a project means
// by a name, which is never one of another project.
func GroupNameOf(project, name string) string { return project + "-" + name }

// DiscoveredName is what GroupNameOf takes for the group of files in a format
// that were found without being named.
func DiscoveredName(f Format) string { return string(f) + "-AutoDiscovered" }

func checkGroupName(name string) error {
	if !groupName().MatchString(name) {
		return fault.New(fault.Invalid, "Report group name must have 2 to 128 letters, digits, hyphens or underscores and begin with a letter or digit: %s", Cut(name, 200))
	}
	return nil
}

// Bounds of what the API model leaves open.
const (
	maxBucket = 255
	maxPath   = 1024
)

// keyName is an ARN, an id or an alias of a key.
var keyName = lazy.Regexp(`^[A-Za-z0-9:/_-]{1,1000}$`)

var accountID = lazy.Regexp(`^[0-9]{12}$`)

func checkExport(c *api.ReportExportConfig) error {
	invalid := func(text string) error { return fault.New(fault.Invalid, "%s", text) }
	switch {
	case c == nil || c.ExportConfigType == "":
		return invalid("Export config type is required")
	case c.ExportConfigType == api.ReportExportConfigTypeNoExport && c.S3Destination != nil:
		return invalid("S3 export config should not be specified when export config type is NO_EXPORT")
	case c.ExportConfigType == api.ReportExportConfigTypeNoExport:
		return nil
	case c.S3Destination == nil:
		return invalid("S3 export config is required when export config type is S3")
	}
	d := c.S3Destination
	switch bucket := text(d.Bucket); {
	case bucket == "" || len(bucket) > maxBucket || strings.ContainsAny(bucket, "/\x00"):
		return invalid("Invalid S3 export config: bucket must be the name of a bucket")
	case d.BucketOwner != nil && !accountID().MatchString(*d.BucketOwner):
		return invalid("Invalid S3 export config: bucketOwner must be an account id of 12 digits")
	case len(text(d.Path)) > maxPath || strings.ContainsFunc(text(d.Path), unicode.IsControl) || slices.Contains(strings.Split(text(d.Path), "/"), ".."):
		return invalid("Invalid S3 export config: path must be the beginning of an object key")
	case text(d.EncryptionKey) != "" && !keyName().MatchString(*d.EncryptionKey):
		return invalid("Invalid S3 export config: encryptionKey must be the ARN, id or alias of a key")
	}
	return nil
}

func checkTags(tags []api.Tag) error {
	seen := map[string]bool{}
	for _, t := range tags {
		switch key := text(t.Key); {
		case key == "":
			return fault.New(fault.Invalid, "Invalid tags: every tag needs a key")
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return fault.New(fault.Invalid, "Caller is an end user and not allowed to mutate system tags.")
		case seen[key]:
			return fault.New(fault.Invalid, "Invalid tags: a tag key cannot be duplicated")
		default:
			seen[key] = true
		}
	}
	return nil
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
