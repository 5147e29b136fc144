package agent

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"slipway/internal/agent/glob"
	"slipway/internal/agent/inside"
	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/build/event"
	"slipway/internal/buildspec"
	"slipway/internal/fault"
)

const archiveFile = "output/tmp/artifact"

// upload is the phase UPLOAD_ARTIFACTS. Reports are made even if artifacts
// cannot be uploaded.
func (e *engine) upload(ctx context.Context) outcome {
	out := e.artifacts(ctx)
	if ctx.Err() != nil {
		return out
	}
	if reports := e.reports(ctx); out.ok() {
		out = reports
	}
	return out
}

// artifacts uploads what the buildspec says of the project's artifacts.
func (e *engine) artifacts(ctx context.Context) outcome {
	if t := e.work.Artifacts.Type; t == api.ArtifactsTypeCodepipeline {
		return failed(clientError, "Artifacts of type %s go to a pipeline, and this build is in none: set the project's artifacts to S3 or NO_ARTIFACTS", t)
	}
	spec := e.spec.Artifacts
	if e.work.Artifacts.Type == api.ArtifactsTypeS3 {
		if spec == nil || len(spec.Files) == 0 {
			return failed(clientError, "no definition for primary artifacts in buildspec")
		}
		if out := e.artifact(ctx, e.work.Artifacts, spec.Output); !out.ok() {
			return out
		}
	}
	if len(e.work.SecondaryArtifacts) == 0 {
		return succeeded
	}
	e.log.Service("Preparing to copy secondary artifacts")
	for _, a := range e.work.SecondaryArtifacts {
		i := -1
		if spec != nil {
			i = slices.IndexFunc(spec.Secondary, func(o buildspec.Output) bool { return o.Identifier == a.Identifier })
		}
		if i < 0 {
			return failed(clientError, "no definition for secondary artifact %s in buildspec", a.Identifier)
		}
		if out := e.artifact(ctx, a, spec.Secondary[i]); !out.ok() {
			return out
		}
	}
	return succeeded
}

// artifact gathers and uploads one artifact.
func (e *engine) artifact(ctx context.Context, a agentapi.Artifact, o buildspec.Output) outcome {
	texts, err := e.expand(slices.Concat([]string{o.Name, o.S3Prefix, o.BaseDirectory}, o.Files, o.Exclude))
	if err != nil {
		return e.uploadFailure(err)
	}
	name, prefix, base := texts[0], texts[1], texts[2]
	files, exclude := texts[3:3+len(o.Files)], texts[3+len(o.Files):]
	if base == "" {
		base = "."
	}
	e.log.Service("Expanding base directory path: %s", base)
	e.log.Service("Assembling file list")
	e.log.Service("Expanding %s", base)
	in := inside.ArtifactsRequest{
		Files: glob.Options{Root: e.home, Base: base, Patterns: files, Exclude: exclude, Follow: !o.EnableSymlinks || !a.Zip},
		Flat:  o.DiscardPaths, Zip: a.Zip, Archive: e.w.place(archiveFile),
	}
	_ = e.w.root.RemoveAll(archiveFile)
	defer func() { _ = e.w.root.RemoveAll(archiveFile) }()
	var got inside.ArtifactsAnswer
	if err := e.inside(inside.Artifacts, in, &got); err != nil {
		return e.uploadFailure(err)
	}
	if len(got.Bases) == 0 {
		return failed(clientError, "no matching base directory path found for %s", base)
	}
	e.log.Service("Expanding file paths for base directory %s", base)
	e.log.Service("Assembling file list")
	for i, pattern := range files {
		e.log.Service("Expanding %s", pattern)
		switch {
		case i < len(got.Matched) && got.Matched[i] > 0:
			e.log.Service("Found %d file(s)", got.Matched[i])
		case slices.Contains(got.Missing, i):
			e.log.Service("Skipping invalid file path %s", pattern)
		}
	}
	for _, path := range got.Taken {
		e.log.Service("Skipping %s: another file has its name", path)
	}
	if got.Files == 0 {
		return failed(clientError, "no matching artifact paths found")
	}
	object := agentapi.Object{Kind: agentapi.ArtifactObject, Identifier: a.Identifier, Name: name, S3Prefix: prefix, MD5: got.MD5, SHA256: got.SHA256}
	location, err := e.send(ctx, object, a.Zip)
	if err != nil {
		return e.uploadFailure(err)
	}
	e.report.add(event.Event{Artifact: &event.Artifact{
		Identifier: a.Identifier, Location: location, MD5: got.MD5, SHA256: got.SHA256, Files: got.Files, Bytes: got.Bytes,
	}})
	return succeeded
}

// uploadFailure is how an upload that cannot be done ends the phase.
func (e *engine) uploadFailure(err error) outcome {
	if p, ok := errors.AsType[*problem](err); ok {
		return failed(clientError, "Failed to upload artifacts: %s", p.message)
	}
	if e.dead != nil {
		return e.foundDead()
	}
	if fault.KindOf(err) == fault.Invalid {
		return failed(clientError, "Failed to upload artifacts: %s", fault.Message(err))
	}
	return faulty("The artifacts could not be uploaded: %v", err)
}

// send uploads the archive, or what is in it, and returns where that is now.
func (e *engine) send(ctx context.Context, o agentapi.Object, whole bool) (location string, err error) {
	f, err := e.w.root.OpenFile(archiveFile, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", &problem{"the build's own processes removed what was to be uploaded"}
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return "", &problem{"the build's own processes replaced what was to be uploaded"}
	}
	if whole {
		info, err := e.put(ctx, o, f)
		return info.Location, err
	}
	for all := tar.NewReader(f); ; {
		h, err := all.Next()
		if errors.Is(err, io.EOF) {
			return location, nil
		}
		if err != nil || !filepath.IsLocal(h.Name) {
			return "", &problem{"the build's own processes changed what was to be uploaded"}
		}
		begin, err := f.Seek(0, io.SeekCurrent)
		if err != nil {
			return "", err
		}
		o.Path, o.Mode = h.Name, fs.FileMode(h.Mode).Perm() //nolint:gosec // cut to the bits of permissions
		info, err := e.put(ctx, o, io.NewSectionReader(f, begin, h.Size))
		if err != nil {
			return "", err
		}
		location = strings.TrimSuffix(info.Location, "/"+h.Name)
	}
}

// put uploads one object, again if the server was away.
func (e *engine) put(ctx context.Context, o agentapi.Object, body io.ReadSeeker) (info agentapi.ObjectInfo, err error) {
	err = persist(ctx, func(ctx context.Context) error {
		if _, err := body.Seek(0, io.SeekStart); err != nil {
			return err
		}
		info, err = e.client.Put(ctx, o, io.NopCloser(body))
		return err
	})
	return info, err
}
