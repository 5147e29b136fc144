package project

import (
	"slices"

	"slipway/internal/api"
	"slipway/internal/lazy"
)

// A bucket, and most often a prefix in it; Terraform's own example has none.
var cacheLocation = lazy.Regexp(`^(arn:aws[a-z-]*:s3:::)?[A-Za-z0-9][A-Za-z0-9._-]{1,254}(/[^\x00-\x1f\x7f]*)?$`)

// cache holds a cache setting by itself. NO_CACHE and LOCAL may have a location,
// which they ignore; nil is fine.
func (f *faults) cache(c *api.ProjectCache) {
	if c == nil {
		return
	}
	switch c.Type {
	case api.CacheTypeNoCache:
	case api.CacheTypeS3:
		if !cacheLocation().MatchString(text(c.Location)) {
			f.add("cache", "location", "Invalid cache: location must be a valid S3 bucket, followed by slash and the prefix")
		}
	case api.CacheTypeLocal:
		if len(c.Modes) == 0 {
			f.add("cache", "modes", "At least one mode must be provided for cache type: LOCAL")
		}
	default:
		f.add("cache", "type", "Invalid type provided: Project cache type")
	}
}

// cacheFits tells whether builds with this source and environment can have
// this cache.
func (f *faults) cacheFits(c *api.ProjectCache, s *api.ProjectSource, e *api.ProjectEnvironment) {
	if c == nil || c.Type != api.CacheTypeLocal {
		return
	}
	if s != nil && s.Type == api.SourceTypeNoSource && slices.Contains(c.Modes, api.CacheModeLocalSourceCache) {
		f.add("cache", "modes", "Cache mode %s is not available for source type %s", api.CacheModeLocalSourceCache, s.Type)
	}
	if e == nil || onFleet(e) {
		return
	}
	switch {
	case e.Type == api.EnvironmentTypeArmContainer, e.Type == api.EnvironmentTypeLinuxGpuContainer, e.ComputeType == api.ComputeTypeBuildGeneral12xlarge:
		f.add("cache", "type", "Invalid cache type: local caching is not supported for projects with environment type %s and compute type %s", e.Type, e.ComputeType)
	}
}
