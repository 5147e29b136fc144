package extension

import (
	"context"

	"slipway/internal/api/slipway"
)

// DescribeBuild answers what is known of a build, named by id or ARN, beyond
// CodeBuild's record of it: the first command that failed, with its line of the
// buildspec, and what became of its cache, in order.
func (s *Builds) DescribeBuild(ctx context.Context, in *slipway.DescribeBuildInput) (*slipway.DescribeBuildOutput, error) {
	b, err := s.find(ctx, in.BuildID)
	if err != nil {
		return nil, err
	}
	out := &slipway.DescribeBuildOutput{Caches: []slipway.CacheUse{}}
	if c := b.State.Failed; c != nil {
		out.FailedCommand = &slipway.FailedCommand{Text: c.Text, File: c.File, Line: c.Line, ExitStatus: c.Exit}
	}
	for _, c := range b.State.Caches {
		out.Caches = append(out.Caches, slipway.CacheUse{
			Action: slipway.CacheAction(c.Action), Outcome: slipway.CacheOutcome(c.Outcome), Type: string(c.Kind), Key: c.Key, FoundKey: c.Found,
			Files: c.Files, Bytes: c.Bytes, ArchiveBytes: c.Packed, SkippedFiles: c.Skipped, Seconds: c.Seconds, Reason: c.Reason,
		})
	}
	return out, nil
}
