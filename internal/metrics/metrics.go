// Package metrics shows how a server is in Prometheus' text format.
package metrics

import (
	"context"
	"log/slog"
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"slipway/internal/api/slipway"
	"slipway/internal/credential"
)

// scrapeTime bounds what a scrape may take.
const scrapeTime = 5 * time.Second

// healths tells how source credentials are.
type healths interface {
	// All returns every credential of every scope, each with what its last
	// check found.
	All(ctx context.Context) ([]credential.Examined, error)
}

// New returns a handler that answers with the metrics of a server of the given
// version, read anew at each request. No secret is among them, but names of
// credentials are.
func New(health healths, version string, log *slog.Logger) http.Handler {
	r := prometheus.NewRegistry() // its own: what libraries register globally is not ours to tell
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "slipway_build_info", Help: "1, with the version of this server."}, []string{"version", "goversion"})
	info.WithLabelValues(version, runtime.Version()).Set(1)
	r.MustRegister(info, credentials{health, log})
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelError), ErrorHandling: promhttp.ContinueOnError})
}

// credentials collects how source credentials are.
type credentials struct {
	health healths
	log    *slog.Logger
}

var labels = []string{"arn", "server_type", "name"}

var (
	expiry = prometheus.NewDesc("slipway_credential_expiry_timestamp_seconds",
		"When a source credential expires, as its provider or its owner says; absent if neither does.", labels, nil)
	state = prometheus.NewDesc("slipway_credential_state",
		"1 for the state in which the last check found a source credential, 0 for all others.", append(labels[:3:3], "state"), nil)
	checked = prometheus.NewDesc("slipway_credential_last_check_timestamp_seconds",
		"When a source credential was last checked; absent if it never was.", labels, nil)
)

var states = []slipway.CredentialState{
	slipway.CredentialStateValid, slipway.CredentialStateLimited, slipway.CredentialStateInvalid, slipway.CredentialStateExpired,
	slipway.CredentialStateUnreachable, slipway.CredentialStateUnchecked,
}

// Describe tells the collector's metrics.
func (credentials) Describe(to chan<- *prometheus.Desc) {
	to <- expiry
	to <- state
	to <- checked
}

// Collect reads the metrics. If the store fails, they are absent from this scrape.
func (c credentials) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime) // the library hands on none
	defer cancel()
	all, err := c.health.All(ctx)
	if err != nil {
		c.log.Error("metrics of source credentials cannot be read", "error", err)
		return
	}
	for _, e := range all {
		of := []string{e.ARN, string(e.ServerType), e.Name}
		gauge := func(d *prometheus.Desc, v float64, more ...string) {
			to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, append(of[:3:3], more...)...)
		}
		if ends := e.Ends(); !ends.IsZero() {
			gauge(expiry, float64(ends.Unix()))
		}
		now := slipway.CredentialStateUnchecked
		if e.Health != nil {
			now = e.Health.Found.State
			gauge(checked, float64(e.Health.Checked.Unix()))
		}
		for _, s := range states {
			v := 0.0
			if s == now {
				v = 1
			}
			gauge(state, v, string(s))
		}
	}
}
