package fetch

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"io"
	"path"
	"strings"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/fault"
)

// maxCertificate bounds what the object with a project's certificate holds, and
// what is in it if it is a zip archive, in bytes.
const maxCertificate = 1 << 20

// selfHosted reports whether sources of type t are at servers with names of their
// own.
func selfHosted(t api.SourceType) bool {
	return t == api.SourceTypeGithubEnterprise || t == api.SourceTypeGitlabSelfManaged
}

// authorities returns the certificates by which the project has the hosts of its
// sources trusted, as PEM. What is wrong with them is a failure in CodeBuild's
// words.
func (o order) authorities(ctx context.Context, client *agentapi.Client) (string, error) {
	const unable = "Unable to download certificate from S3. "
	var text []byte
	err := patiently(ctx, "the server did not give the project's certificate", func(ctx context.Context) error {
		body, _, err := client.Get(ctx, agentapi.Object{Kind: agentapi.CertificateObject})
		if err != nil {
			return err
		}
		defer body.Close()
		text, err = io.ReadAll(io.LimitReader(body, maxCertificate+1))
		return err
	})
	at := clean(o.Certificate, maxShown)
	switch fault.KindOf(err) {
	case fault.NotFound, fault.Invalid:
		return "", &failure{unable + clean(fault.Message(err), 2*maxShown) + " Check the project's environment.certificate, which is " + at + "."}
	}
	if err != nil {
		return "", err
	}
	if bytes.HasPrefix(text, []byte("PK\x03\x04")) {
		if text, err = certificateIn(text); err != nil {
			return "", &failure{unable + "The archive " + at + " cannot be read: " + clean(err.Error(), maxShown) + "."}
		}
	}
	found := certificates(text)
	if len(text) > maxCertificate || len(found) == 0 {
		return "", &failure{unable + at + " holds no certificate: it must be a PEM file of less than a megabyte, or a zip archive of one."}
	}
	return string(found), nil
}

// certificateIn returns the first PEM file of a zip archive, nil if there is
// none.
func certificateIn(archive []byte) ([]byte, error) {
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, err
	}
	for _, f := range r.File {
		if base := path.Base(f.Name); strings.HasPrefix(base, ".") || !f.Mode().IsRegular() {
			continue
		}
		in, err := f.Open()
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(io.LimitReader(in, maxCertificate))
		_ = in.Close()
		if err != nil {
			return nil, err
		}
		if len(certificates(text)) > 0 {
			return text, nil
		}
	}
	return nil, nil
}

// certificates returns those in a text, as PEM, without anything else that it
// may hold.
func certificates(text []byte) []byte {
	var all []byte
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return all
		}
		if _, err := x509.ParseCertificate(block.Bytes); err == nil && block.Type == "CERTIFICATE" {
			all = append(all, pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes})...)
		}
	}
}
