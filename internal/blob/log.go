package blob

import (
	"context"
	"io"

	gocloud "gocloud.dev/blob"

	"slipway/internal/build"
)

// PutLog stores all of body, gzip, as the log of a build whose logsConfig names
// a bucket. A log that is there is replaced, at once or not at all. Invalid means
// that the store does not let us, NotFound that there is no such bucket.
func (s *Store) PutLog(ctx context.Context, b build.Build, body io.Reader) error {
	at, err := b.LogLocation()
	if err != nil {
		return err
	}
	p := place{name: at.Bucket, key: at.Key}
	if p.bucket, err = s.bucket(ctx, at.Bucket, true); err != nil {
		return err
	}
	_, err = p.write(ctx, body, &gocloud.WriterOptions{
		ContentType: "application/gzip", Metadata: map[string]string{"codebuild-buildarn": *b.Public.ARN},
	})
	return p.refusal(err, "write")
}
