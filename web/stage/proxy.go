package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"
)

// proxyPrefix is where the server is at the proxy.
const proxyPrefix = "/ci"

// listenTLS listens where the proxy will be, with a certificate that nobody
// vouches for, and returns the public URL of a server behind it.
func listenTLS() (net.Listener, string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, "", err
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	signed, err := x509.CreateCertificate(rand.Reader, about, about, key.Public(), key)
	if err != nil {
		return nil, "", err
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{signed}, PrivateKey: key}}})
	if err != nil {
		return nil, "", err
	}
	return l, "https://" + l.Addr().String() + proxyPrefix, nil
}

// proxy hands requests below proxyPrefix on to the server as careless proxies
// do: the prefix is gone and the Host is another.
func proxy(ctx context.Context, l net.Listener, server string) error {
	to, err := url.Parse(server)
	if err != nil {
		return err
	}
	handler := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.RawPath = strings.TrimPrefix(r.In.URL.EscapedPath(), proxyPrefix)
		r.Out.URL.Path = strings.TrimPrefix(r.In.URL.Path, proxyPrefix)
		r.SetURL(to)
	}}
	s := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: log.New(io.Discard, "", 0), // browsers say in their own way that they do not trust the certificate
	}
	go func() {
		<-ctx.Done()
		_ = s.Close() // the program is about to end
	}()
	go func() { _ = s.Serve(l) }() // it ends with the program
	return nil
}
