package project

import (
	"regexp"
	"slices"

	"slipway/internal/api"
)

// A bucket, and most often a prefix in it; Terraform's own example has none.
var cacheLocation = regexp.MustCompile(`^(arn:aws[a-z-]*:s3:::)?[A-Za-z0-9][A-Za-z0-9._-]{1,254}(/[^\x00-\x1f\x7f]*)?$`)

// CheckCache holds a cache setting by itself. NO_CACHE and LOCAL may have a
// location, which they ignore; nil is fine.
func CheckCache(c *api.ProjectCache) error {
	if c == nil {
		return nil
	}
	switch c.Type {
	case api.CacheTypeNoCache:
	case api.CacheTypeS3:
		if !cacheLocation.MatchString(text(c.Location)) {
			return invalid("Invalid cache: location must be a valid S3 bucket, followed by slash and the prefix")
		}
	case api.CacheTypeLocal:
		if len(c.Modes) == 0 {
			return invalid("At least one mode must be provided for cache type: LOCAL")
		}
	default:
		return invalid("Invalid type provided: Project cache type")
	}
	return nil
}

// CheckCacheFits tells whether builds with this source and environment can have
// this cache.
func CheckCacheFits(c *api.ProjectCache, s *api.ProjectSource, e *api.ProjectEnvironment) error {
	if c == nil || c.Type != api.CacheTypeLocal {
		return nil
	}
	if s != nil && s.Type == api.SourceTypeNoSource && slices.Contains(c.Modes, api.CacheModeLocalSourceCache) {
		return invalid("Cache mode %s is not available for source type %s", api.CacheModeLocalSourceCache, s.Type)
	}
	if e == nil || onFleet(e) {
		return nil
	}
	switch {
	case e.Type == api.EnvironmentTypeArmContainer, e.Type == api.EnvironmentTypeLinuxGpuContainer, e.ComputeType == api.ComputeTypeBuildGeneral12xlarge:
		return invalid("Invalid cache type: local caching is not supported for projects with environment type %s and compute type %s", e.Type, e.ComputeType)
	}
	return nil
}
