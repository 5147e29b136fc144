package docker

import (
	"slipway/internal/api"
	"slipway/internal/runner"
)

// A size is what a compute type has.
type size struct {
	processors int64
	gib        int64 // of memory
}

// sizes are those of "Build environment compute modes and types" in the guide.
// Lambda's have no number of processors there.
var sizes = map[api.ComputeType]size{
	api.ComputeTypeBuildGeneral1Small:   {2, 4},
	api.ComputeTypeBuildGeneral1Medium:  {4, 8},
	api.ComputeTypeBuildGeneral1Large:   {8, 16},
	api.ComputeTypeBuildGeneral1Xlarge:  {36, 72},
	api.ComputeTypeBuildGeneral12xlarge: {72, 144},
	api.ComputeTypeBuildLambda1gb:       {0, 1},
	api.ComputeTypeBuildLambda2gb:       {0, 2},
	api.ComputeTypeBuildLambda4gb:       {0, 4},
	api.ComputeTypeBuildLambda8gb:       {0, 8},
	api.ComputeTypeBuildLambda10gb:      {0, 10},
}

// limits returns how many billionths of a processor a launch may use, and how
// many bytes of memory. 0 means as much as the machine has: a build that asks
// for more gets that.
func (i *Info) limits(l runner.Launch) (nanoCPUs, memory int64) {
	s := sizes[l.ComputeType]
	if l.ComputeType == api.ComputeTypeAttributeBasedCompute && l.Compute != nil {
		s = size{count(l.Compute.VCPU), count(l.Compute.Memory)}
	}
	if s.processors < int64(i.Processors) {
		nanoCPUs = s.processors * 1e9
	}
	if s.gib<<30 < i.Memory {
		memory = s.gib << 30
	}
	return nanoCPUs, memory
}

// count is what a project says, as far as it makes sense.
func count(n *int64) int64 {
	const most = 1 << 20
	if n == nil || *n < 0 || *n > most {
		return 0
	}
	return *n
}
