package agent

import (
	"context"

	"slipway/internal/api"
)

// upload is the phase UPLOAD_ARTIFACTS.
func (e *engine) upload(ctx context.Context) outcome { return e.artifacts(ctx) }

// artifacts ends a build that has artifacts to upload: storing them is not built yet.
func (e *engine) artifacts(context.Context) outcome {
	switch e.work.ArtifactsType {
	case api.ArtifactsTypeS3, api.ArtifactsTypeCodepipeline:
		return failed(clientError, "Artifacts of type %s cannot be uploaded by this server yet: set the project's artifacts to NO_ARTIFACTS", e.work.ArtifactsType)
	}
	return succeeded
}
