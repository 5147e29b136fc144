package project

import (
	"strings"

	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/lazy"
)

const (
	maxSecurityGroups = 5
	maxSubnets        = 16
	maxBatchBuilds    = 100
)

var role = lazy.Regexp(`^role/[A-Za-z0-9+=,.@_/-]{1,575}$`)

// serviceRole holds the name of a role against the form of an IAM role's
// ARN of the scope's account. Nobody can assume it here, so that is not tried.
func (f *faults) serviceRole(at path, scope arn.Scope, name string) {
	a, ok := arn.Parse(name)
	if !ok || a.Service != "iam" || a.Region != "" || !strings.HasPrefix(a.Partition, "aws") || !role().MatchString(a.Resource) {
		f.add(at, "", "Invalid service role")
	} else if a.Account != scope.Account {
		f.add(at, "", "Invalid service role: Service role account ID does not match caller's account")
	}
}

// encryptionKey holds the name of a KMS key against its forms: an ARN in
// the scope's region, alias/name or an id.
func (f *faults) encryptionKey(scope arn.Scope, key string) {
	const odd = "Invalid encryption key: it must be the ARN, id or alias of a key"
	if !strings.HasPrefix(key, "arn:") {
		if !keyName().MatchString(key) {
			f.add("encryptionKey", "", odd)
		}
		return
	}
	a, ok := arn.Parse(key)
	if !ok || a.Service != "kms" || !keyName().MatchString(strings.TrimPrefix(a.Resource, "key/")) {
		f.add("encryptionKey", "", odd)
	} else if a.Region != scope.Region {
		f.add("encryptionKey", "", "Invalid encryption key: region does not match current region")
	}
}

var keyName = lazy.Regexp(`^[A-Za-z0-9/_-]{1,256}$`)

func (f *faults) tags(tags []api.Tag) {
	seen := make(map[string]bool, len(tags))
	for i, t := range tags {
		at := path("tags").element(i)
		switch key := text(t.Key); {
		case key == "":
			f.add(at, "key", "Invalid tags: every tag needs a key")
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			f.add(at, "key", "Caller is an end user and not allowed to mutate system tags.")
		case seen[key]:
			f.add(at, "key", "Invalid tags: a tag key cannot be duplicated")
		default:
			seen[key] = true
		}
	}
}

func (f *faults) vpc(v *api.VpcConfig) {
	switch {
	case v == nil:
	case len(v.SecurityGroupIDs) > maxSecurityGroups:
		f.add("vpcConfig", "securityGroupIds", "Invalid vpc config: the maximum number of security groups is %d", maxSecurityGroups)
	case len(v.Subnets) > maxSubnets:
		f.add("vpcConfig", "subnets", "Invalid vpc config: the maximum number of subnets is %d", maxSubnets)
	case text(v.VPCID) == "" || len(v.Subnets) == 0 || len(v.SecurityGroupIDs) == 0:
		f.add("vpcConfig", "", "Invalid vpc config: vpcId, subnets and securityGroupIds must be given together")
	}
}

// The DNS name of a file system and, after a colon, a directory in it or nothing.
var fileSystem = lazy.Regexp(`^[A-Za-z0-9][A-Za-z0-9.-]*:(/[^\x00-\x1f\x7f]*)?$`)

func (f *faults) fileSystems(all []api.ProjectFileSystemLocation, e *api.ProjectEnvironment) {
	for i := range all {
		if !fileSystem().MatchString(text(all[i].Location)) {
			f.add(path("fileSystemLocations").element(i), "location", "File System Location is invalid, should be in the form 'FileSystemDNS':'FileSystemDirectory'")
		}
	}
	if len(all) > 0 && e != nil && (e.PrivilegedMode == nil || !*e.PrivilegedMode) {
		f.add("environment.privilegedMode", "", "Privileged Mode has to be set for projects with File System Locations")
	}
}

func (f *faults) batch(scope arn.Scope, b *api.ProjectBuildBatchConfig) {
	const at path = "buildBatchConfig"
	if b == nil {
		return
	}
	if n := b.TimeoutInMins; n != nil && (*n < 5 || *n > 2160) {
		f.add(at, "timeoutInMins", "TimeoutInMins must be between 5 and 2160")
	}
	if r := b.Restrictions; r != nil && r.MaximumBuildsAllowed != nil && (*r.MaximumBuildsAllowed < 1 || *r.MaximumBuildsAllowed > maxBatchBuilds) {
		f.add(at, "restrictions.maximumBuildsAllowed", "MaximumBuildsAllowed must be between 1 and %d", maxBatchBuilds)
	}
	if b.ServiceRole != nil { // needed only once a batch build starts
		f.serviceRole(at.field("serviceRole"), scope, *b.ServiceRole)
	}
}

func (f *faults) limits(concurrent, retries *int) {
	if concurrent != nil && *concurrent <= 0 {
		f.add("concurrentBuildLimit", "", "Project level concurrent builds limit should be greater than 0")
	}
	if retries != nil && *retries < 0 {
		f.add("autoRetryLimit", "", "Invalid input: autoRetryLimit must not be negative")
	}
}
