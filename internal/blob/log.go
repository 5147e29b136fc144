package blob

import (
	"context"
	"fmt"
	"io"

	gocloud "gocloud.dev/blob"

	"slipway/internal/build"
)

// PutLog stores all of body, gzip, as the log of a build whose logsConfig names
// a bucket. A log that is there is replaced, at once or not at all.
func (s *Store) PutLog(ctx context.Context, b build.Build, body io.Reader) error {
	at, err := b.LogLocation()
	if err != nil {
		return err
	}
	bucket, err := s.bucket(ctx, at.Bucket, true)
	if err != nil {
		return err
	}
	writing, abort := context.WithCancel(ctx)
	defer abort() // before Close, it throws away what is written
	w, err := bucket.NewWriter(writing, at.Key, &gocloud.WriterOptions{
		ContentType: "application/gzip", Metadata: map[string]string{"codebuild-buildarn": *b.Public.ARN},
	})
	if err != nil {
		return fmt.Errorf("write %s: %w", at.Key, err)
	}
	if _, err = io.Copy(w, body); err != nil {
		abort()
		_ = w.Close()
		return fmt.Errorf("write %s: %w", at.Key, err)
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("write %s: %w", at.Key, err)
	}
	return nil
}
