// Package codebuild implements CodeBuild's operations on one Service, a file
// per noun. An operation without a method here is not built yet: the server
// answers it with NotImplementedException.
package codebuild

import (
	"context"
	"time"

	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/build"
	"slipway/internal/credential"
	"slipway/internal/project"
	"slipway/internal/report"
)

// credentialStore is what the source-credential operations need of storage.
type credentialStore interface {
	// Put stores c. If its server type is taken in the scope and overwrite is
	// false, it returns a fault of kind Exists and changes nothing. Replacing
	// keeps the time of creation, and hosts and certificates if c has none.
	Put(ctx context.Context, c credential.Sealed, overwrite bool) error
	// Get returns the default credential of a scope for a server type, or NotFound.
	Get(ctx context.Context, scope arn.Scope, serverType api.ServerType) (credential.Sealed, error)
	// List returns the default credentials of a scope by server type.
	List(ctx context.Context, scope arn.Scope) ([]credential.Sealed, error)
	// All returns every credential of a scope, named ones too.
	All(ctx context.Context, scope arn.Scope) ([]credential.Sealed, error)
	// Delete removes the credential with this ARN; NotFound if there is none in scope.
	Delete(ctx context.Context, scope arn.Scope, arn string) error
}

// projectStore is what the project operations need of storage.
type projectStore interface {
	// Create stores p; Exists ("Project already exists: <arn>") if its name is taken.
	Create(ctx context.Context, p project.Project) error
	// Update replaces a project by change(it), in one transaction; NotFound if
	// there is none. change may run more than once and must not block.
	Update(ctx context.Context, scope arn.Scope, name string, change func(project.Project) (project.Project, error)) (project.Project, error)
	// Get returns one project, or NotFound.
	Get(ctx context.Context, scope arn.Scope, name string) (project.Project, error)
	// GetMany returns the projects among names that exist, in any order.
	GetMany(ctx context.Context, scope arn.Scope, names []string) ([]project.Project, error)
	// List returns a page of at most limit names. after is "" or the next that
	// the page before returned; next is "" after the last page.
	List(ctx context.Context, scope arn.Scope, by api.ProjectSortByType, descending bool, after string, limit int) (names []string, next string, err error)
	// Delete removes a project; that there is none is no error. Its builds stay.
	Delete(ctx context.Context, scope arn.Scope, name string) error
}

// buildStore is what the build operations need of storage.
type buildStore interface {
	// Accept stores a new queued build and returns it with its number and
	// sequence, in one durable transaction. NotFound if its project is gone,
	// Limit if the project's concurrentBuildLimit is reached. With an
	// Idempotency whose token is remembered, the build it made is returned and
	// nothing is stored; other parameters are Invalid.
	Accept(ctx context.Context, b build.Build, once *build.Idempotency) (build.Build, error)
	// Get returns one build by id (project:uuid), or NotFound.
	Get(ctx context.Context, scope arn.Scope, id string) (build.Build, error)
	// GetMany returns the builds among ids that exist, in any order.
	GetMany(ctx context.Context, scope arn.Scope, ids []string) ([]build.Build, error)
	// List returns a page of at most limit ids in order of acceptance, of one
	// project or, with "", of all. after is 0 or the next that the page before
	// returned; next is 0 after the last page.
	List(ctx context.Context, scope arn.Scope, project string, descending bool, after int64, limit int) (ids []string, next int64, err error)
	// Delete removes a finished build; NotFound if there is none, Invalid if it is in progress.
	Delete(ctx context.Context, scope arn.Scope, id string) error
}

// reportGroupStore is what the report operations need of stored report groups.
type reportGroupStore interface {
	// Create stores g; Exists if its name is taken, Limit if there are too many.
	Create(ctx context.Context, g report.Group) error
	// Update replaces a group by change(it), in one transaction; NotFound if
	// there is none. change may run more than once and must not block.
	Update(ctx context.Context, scope arn.Scope, name string, change func(report.Group) (report.Group, error)) (report.Group, error)
	// Get returns one group, or NotFound.
	Get(ctx context.Context, scope arn.Scope, name string) (report.Group, error)
	// GetMany returns the groups among names that exist, in any order.
	GetMany(ctx context.Context, scope arn.Scope, names []string) ([]report.Group, error)
	// List returns a page of at most limit names. after is "" or the next that
	// the page before returned; next is "" after the last page.
	List(ctx context.Context, scope arn.Scope, by api.ReportGroupSortByType, descending bool, after string, limit int) (names []string, next string, err error)
	// Delete removes a group; that there is none is no error. One that has
	// reports is Invalid unless they may go too: it is then DELETING.
	Delete(ctx context.Context, scope arn.Scope, name string, withReports bool, now time.Time) error
}

// reportStore is what they need of stored reports. Those that have expired at
// now are not found.
type reportStore interface {
	// Get returns one report, or NotFound.
	Get(ctx context.Context, scope arn.Scope, group, id string, now time.Time) (report.Report, error)
	// GetMany returns the reports among ids that exist, in any order.
	GetMany(ctx context.Context, scope arn.Scope, ids []string, now time.Time) ([]report.Report, error)
	// List returns a page of at most limit names, group:id, in order of
	// creation, of one group or status or, with "", of all. after is 0 or the
	// next that the page before returned; next is 0 after the last page.
	List(ctx context.Context, scope arn.Scope, group string, status api.ReportStatusType, descending bool, now time.Time, after int64, limit int) (names []string, next int64, err error)
	// Newest returns at most limit reports of a group that succeeded or failed,
	// newest first.
	Newest(ctx context.Context, scope arn.Scope, group string, now time.Time, limit int) ([]report.Report, error)
	// Cases returns a page of a report's test cases in their order: of one
	// status or, with "", of all, and with a keyword in name or prefix.
	Cases(ctx context.Context, r report.Report, status, keyword string, after int64, limit int) (page []api.TestCase, next int64, err error)
	// Coverages returns a page of a report's files. after is zero or the next
	// that the page before returned; next is zero after the last page.
	Coverages(ctx context.Context, r report.Report, of report.CoverageQuery, after report.CoveragePlace, limit int) (page []api.CodeCoverage, next report.CoveragePlace, err error)
	// Delete has a report removed: until Purge it is DELETING. That there is
	// none is no error.
	Delete(ctx context.Context, scope arn.Scope, group, id string) error
	// Purge removes some of what is to go at now, and ends reports that have
	// been GENERATING since before a time. more says that there is more.
	Purge(ctx context.Context, now, generating time.Time) (more bool, err error)
}

// A sealer closes secrets for storage; owner is bound to the ciphertext.
type sealer interface {
	Seal(plaintext []byte, owner string) ([]byte, error)
}

// A controller carries out what builds need beyond storage.
type controller interface {
	// Wake tells that a build was queued.
	Wake()
	// StopBuild asks a build to end and returns its record as it then is. A
	// queued build ends at once, a finished one is returned unchanged.
	StopBuild(ctx context.Context, id string) (build.Build, error)
}

// A webhookRegistrar keeps the webhooks of projects at source providers.
type webhookRegistrar interface {
	// Create makes the webhook of a project. Exists if it has one, Provider if
	// the provider refuses.
	Create(ctx context.Context, p project.Project, in *api.CreateWebhookInput) (api.Webhook, error)
	// Update changes what in has of a project's webhook, or NotFound.
	Update(ctx context.Context, p project.Project, in *api.UpdateWebhookInput) (api.Webhook, error)
	// Delete ends the webhook of a project, or NotFound.
	Delete(ctx context.Context, p project.Project) error
	// Fits reports whether a project's webhook still suits its source, which was
	// another one in old; Invalid if not. It asks nobody and does not block.
	Fits(old, now project.Project) error
	// Moved takes a project's webhook along to the repository of its new source.
	Moved(ctx context.Context, old, now project.Project) error
	// Forget ends the webhook of a project that is about to be deleted, if there
	// is either.
	Forget(ctx context.Context, p project.Project) error
}

// Parts is what a Service works with. All are needed.
type Parts struct {
	Credentials  credentialStore
	Projects     projectStore
	Builds       buildStore
	ReportGroups reportGroupStore
	Reports      reportStore
	Seal         sealer
	Control      controller
	Webhooks     webhookRegistrar
}

// Service is CodeBuild. Its methods may be called from several goroutines.
type Service struct {
	credentials  credentialStore
	projects     projectStore
	builds       buildStore
	reports      reportStore
	reportGroups reportGroupStore
	seal         sealer
	control      controller
	webhooks     webhookRegistrar
	now          func() time.Time
	checkBefore  func(ctx context.Context, c credential.Credential) error
	imported     func(arn string)
	located      func(t api.ServerType)
	forget       func(ctx context.Context, p project.Project) error
}

// Options tunes a Service. The zero value is ready for production.
type Options struct {
	Now func() time.Time // nil means time.Now

	// CheckBefore refuses a source credential before it is stored, with a fault
	// of kind Provider; nil refuses none, as CodeBuild does.
	CheckBefore func(ctx context.Context, c credential.Credential) error
	// Imported hears of each source credential that was stored; it must not
	// wait. nil means that nobody does.
	Imported func(arn string)
	// Located hears of each project that was stored with a source at a
	// self-hosted provider; it must not wait. nil means that nobody does.
	Located func(t api.ServerType)
	// ForgetCaches removes the caches of a project; nil means that none are kept.
	ForgetCaches func(ctx context.Context, p project.Project) error
}

// New returns a Service on the given parts.
func New(p Parts, o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.CheckBefore == nil {
		o.CheckBefore = func(context.Context, credential.Credential) error { return nil }
	}
	if o.Located == nil {
		o.Located = func(api.ServerType) {}
	}
	if o.ForgetCaches == nil {
		o.ForgetCaches = func(context.Context, project.Project) error { return nil }
	}
	if o.Imported == nil {
		o.Imported = func(string) {}
	}
	return &Service{
		credentials: p.Credentials, projects: p.Projects, builds: p.Builds, reportGroups: p.ReportGroups, reports: p.Reports,
		seal: p.Seal, control: p.Control, webhooks: p.Webhooks, now: o.Now,
		checkBefore: o.CheckBefore, imported: o.Imported, located: o.Located, forget: o.ForgetCaches,
	}
}
