package doctor

import (
	"net/http"
	"sync"
	"time"
)

// maxHosts is of how many hosts the clock is kept.
const maxHosts = 64

// Dates is a way to providers that remembers what their clocks said, to hold
// our own against them. The zero value is ready; several goroutines may use it.
type Dates struct {
	Base http.RoundTripper // carries the requests; nil means http.DefaultTransport
	Now  func() time.Time  // nil means time.Now

	mu   sync.Mutex
	skew map[string]time.Duration // by host: its clock less ours
}

// RoundTrip carries a request and notes the Date of its answer.
func (d *Dates) RoundTrip(r *http.Request) (*http.Response, error) {
	base, now := d.Base, d.Now
	if base == nil {
		base = http.DefaultTransport
	}
	if now == nil {
		now = time.Now
	}
	sent := now()
	resp, err := base.RoundTrip(r)
	if err != nil {
		return resp, err
	}
	if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		d.note(r.URL.Host, at, sent, now())
	}
	return resp, nil
}

// note holds a provider's clock, which tells whole seconds, against the time in
// which it must have been read.
func (d *Dates) note(host string, at, sent, got time.Time) {
	var off time.Duration
	switch {
	case at.Add(time.Second).Before(sent):
		off = at.Add(time.Second).Sub(sent)
	case at.After(got):
		off = at.Sub(got)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.skew == nil || len(d.skew) >= maxHosts {
		d.skew = map[string]time.Duration{}
	}
	d.skew[host] = off
}

// Nearest returns the host whose clock differs least from ours, since a wrong
// clock is rather the one that differs from all, and by how much it is ahead;
// known is false if no provider has answered yet.
func (d *Dates) Nearest() (host string, ahead time.Duration, known bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for h, off := range d.skew {
		if !known || off.Abs() < ahead.Abs() || off.Abs() == ahead.Abs() && h < host {
			host, ahead, known = h, off, true
		}
	}
	return host, ahead, known
}
