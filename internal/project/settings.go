package project

import (
	"regexp"
	"strings"

	"slipway/internal/api"
	"slipway/internal/arn"
)

const (
	maxSecurityGroups = 5
	maxSubnets        = 16
	maxBatchBuilds    = 100
)

var role = regexp.MustCompile(`^role/[A-Za-z0-9+=,.@_/-]{1,575}$`)

// CheckServiceRole holds the name of a role against the form of an IAM role's
// ARN of the scope's account. Nobody can assume it here, so that is not tried.
func CheckServiceRole(scope arn.Scope, name string) error {
	a, ok := arn.Parse(name)
	if !ok || a.Service != "iam" || a.Region != "" || !strings.HasPrefix(a.Partition, "aws") || !role.MatchString(a.Resource) {
		return invalid("Invalid service role")
	}
	if a.Account != scope.Account {
		return invalid("Invalid service role: Service role account ID does not match caller's account")
	}
	return nil
}

// CheckEncryptionKey holds the name of a KMS key against its forms: an ARN in
// the scope's region, alias/name or an id.
func CheckEncryptionKey(scope arn.Scope, key string) error {
	if !strings.HasPrefix(key, "arn:") {
		if !keyName.MatchString(key) {
			return invalid("Invalid encryption key: it must be the ARN, id or alias of a key")
		}
		return nil
	}
	a, ok := arn.Parse(key)
	if !ok || a.Service != "kms" || !keyName.MatchString(strings.TrimPrefix(a.Resource, "key/")) {
		return invalid("Invalid encryption key: it must be the ARN, id or alias of a key")
	}
	if a.Region != scope.Region {
		return invalid("Invalid encryption key: region does not match current region")
	}
	return nil
}

var keyName = regexp.MustCompile(`^[A-Za-z0-9/_-]{1,256}$`)

func checkTags(tags []api.Tag) error {
	seen := make(map[string]bool, len(tags))
	for _, t := range tags {
		switch key := text(t.Key); {
		case key == "":
			return invalid("Invalid tags: every tag needs a key")
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return invalid("Caller is an end user and not allowed to mutate system tags.")
		case seen[key]:
			return invalid("Invalid tags: a tag key cannot be duplicated")
		default:
			seen[key] = true
		}
	}
	return nil
}

func checkVPC(v *api.VpcConfig) error {
	switch {
	case v == nil:
		return nil
	case len(v.SecurityGroupIDs) > maxSecurityGroups:
		return invalid("Invalid vpc config: the maximum number of security groups is %d", maxSecurityGroups)
	case len(v.Subnets) > maxSubnets:
		return invalid("Invalid vpc config: the maximum number of subnets is %d", maxSubnets)
	case text(v.VPCID) == "" || len(v.Subnets) == 0 || len(v.SecurityGroupIDs) == 0:
		return invalid("Invalid vpc config: vpcId, subnets and securityGroupIds must be given together")
	}
	return nil
}

// The DNS name of a file system and, after a colon, a directory in it or nothing.
var fileSystem = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]*:(/[^\x00-\x1f\x7f]*)?$`)

func checkFileSystems(all []api.ProjectFileSystemLocation, e *api.ProjectEnvironment) error {
	for i := range all {
		if !fileSystem.MatchString(text(all[i].Location)) {
			return invalid("File System Location is invalid, should be in the form 'FileSystemDNS':'FileSystemDirectory'")
		}
	}
	if len(all) > 0 && (e.PrivilegedMode == nil || !*e.PrivilegedMode) {
		return invalid("Privileged Mode has to be set for projects with File System Locations")
	}
	return nil
}

func checkBatch(scope arn.Scope, b *api.ProjectBuildBatchConfig) error {
	if b == nil {
		return nil
	}
	if n := b.TimeoutInMins; n != nil && (*n < 5 || *n > 2160) {
		return invalid("TimeoutInMins must be between 5 and 2160")
	}
	if r := b.Restrictions; r != nil && r.MaximumBuildsAllowed != nil && (*r.MaximumBuildsAllowed < 1 || *r.MaximumBuildsAllowed > maxBatchBuilds) {
		return invalid("MaximumBuildsAllowed must be between 1 and %d", maxBatchBuilds)
	}
	if b.ServiceRole != nil { // needed only once a batch build starts
		return CheckServiceRole(scope, *b.ServiceRole)
	}
	return nil
}

func checkLimits(concurrent, retries *int) error {
	if concurrent != nil && *concurrent <= 0 {
		return invalid("Project level concurrent builds limit should be greater than 0")
	}
	if retries != nil && *retries < 0 {
		return invalid("Invalid input: autoRetryLimit must not be negative")
	}
	return nil
}
