package receiver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/fault"
	"slipway/internal/secret"
	"slipway/internal/webhook"
)

const (
	maxBody  = 25 << 20 // bytes of a payload: GitHub's and GitLab's own limit
	small    = 1 << 20  // bytes of a payload of which any number may be taken at once
	readTime = 30 * time.Second
)

// ServeHTTP takes one delivery: POST /webhooks?t=KEY&v=1. It is answered with
// 200 once it is stored, also if it was stored before, and evaluated after that.
//
// A badly signed one is stored without its payload and answered with 401, but
// to GitLab with 200: GitLab ends deliveries after four failures in a row and
// pushes are then lost, whereas a wrong secret is mended in a minute and is
// shown by 'slipway webhook'. An unknown key is answered with 404 and nothing
// else; that takes one look-up, whatever the request holds.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		answer(w, http.StatusMethodNotAllowed, "", "Deliveries are sent with POST.")
		return
	}
	sealed, err := r.parts.Hooks.Find(req.Context(), req.URL.Query().Get("t"))
	if fault.KindOf(err) == fault.NotFound {
		answer(w, http.StatusNotFound, "", "There is no such webhook.")
		return
	}
	if err != nil {
		r.failed(w, req.Context(), err)
		return
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readTime)) // not every server has deadlines
	body, done, err := r.payload(w, req)
	defer done()
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		answer(w, http.StatusRequestEntityTooLarge, "", "A payload has at most 25 MiB.")
		return
	}
	if errors.Is(err, errBusy) {
		r.failed(w, req.Context(), err)
		return
	}
	if err != nil {
		answer(w, http.StatusBadRequest, "", "The payload did not arrive whole.")
		return
	}
	d, err := r.judge(sealed, req.Header, body)
	if err != nil {
		r.failed(w, req.Context(), err)
		return
	}
	stored, again, err := r.parts.Deliveries.Accept(req.Context(), d)
	if err != nil {
		r.failed(w, req.Context(), err)
		return
	}
	id := webhook.DeliveryName(stored.Sequence)
	if d.Record.State == slipway.DeliveryStateRefused {
		r.log.Info("delivery refused", "deliveryId", id, "serverType", d.ServerType, "place", sealed.Place, "signature", d.Record.Signature)
		status := http.StatusUnauthorized
		if d.ServerType == api.ServerTypeGitlab || d.ServerType == api.ServerTypeGitlabSelfManaged {
			status = http.StatusOK
		}
		answer(w, status, id, "The signature does not fit this webhook's secret: nothing was evaluated.")
		return
	}
	if !again {
		signal(r.wake)
	}
	answer(w, http.StatusOK, id, "")
}

var errBusy = errors.New("too many large payloads at once")

// payload reads a payload. Whether it is signed is known only when all of it is
// there, so that of large ones no more than some are taken at once; others wait
// for their turn, which does not hold up small ones. done ends that of this one.
func (r *Receiver) payload(w http.ResponseWriter, req *http.Request) (body []byte, done func(), err error) {
	done = func() {}
	from := http.MaxBytesReader(w, req.Body, maxBody)
	var buffer bytes.Buffer
	buffer.Grow(int(min(max(req.ContentLength, 0)+bytes.MinRead, small)))
	if _, err := buffer.ReadFrom(io.LimitReader(from, small)); err != nil || buffer.Len() < small {
		return buffer.Bytes(), done, err
	}
	ctx, cancel := context.WithTimeout(req.Context(), r.options.Turn)
	defer cancel()
	select {
	case r.large <- struct{}{}:
		done = func() { <-r.large }
	case <-ctx.Done():
		return nil, done, errBusy
	}
	_, err = buffer.ReadFrom(from)
	return buffer.Bytes(), done, err
}

// judge returns a delivery as it is stored: whether it comes from who knows the
// hook's secret, the present one or for a while the one before.
func (r *Receiver) judge(sealed webhook.SealedHook, h http.Header, body []byte) (webhook.Delivery, error) {
	hook, err := r.opened.open(r.parts.Opener, sealed)
	if err != nil {
		return webhook.Delivery{}, err
	}
	provider, ok := r.parts.Providers[hook.ServerType]
	if !ok {
		return webhook.Delivery{}, errors.New("nobody knows how to read deliveries of " + string(hook.ServerType))
	}
	now := r.options.Now()
	secrets := []secret.Text{hook.Secret}
	if !hook.OldSecret.IsZero() && now.Before(hook.OldUntil) {
		secrets = append(secrets, hook.OldSecret)
	}
	verdict, which := provider.Signed(h, body, secrets, now)
	if verdict == slipway.SignatureVerdictValid && which > 0 {
		verdict = slipway.SignatureVerdictValidOldSecret
	}
	d := webhook.Delivery{
		Scope: hook.Scope, ServerType: hook.ServerType, Hook: hook.Key, ID: deliveryID(hook.ServerType, h, body), Received: now, Pending: true,
		Record: webhook.DeliveryRecord{
			Event: clean(h.Get(namings[hook.ServerType].event)), Sender: sender(hook.ServerType, h.Get("User-Agent")),
			Signature: verdict, State: slipway.DeliveryStatePending,
		},
		Header: keep(h), Body: body,
	}
	if verdict != slipway.SignatureVerdictValid && verdict != slipway.SignatureVerdictValidOldSecret {
		d.Record.State, d.Pending, d.Body = slipway.DeliveryStateRefused, false, nil
		d.Record.Note = refusals[verdict]
	}
	return d, nil
}

// refusals say what a bad signature means.
var refusals = map[slipway.SignatureVerdict]string{
	slipway.SignatureVerdictMissing: "The delivery is not signed. Set the webhook's secret at the provider, or make a new one with 'aws codebuild update-webhook --rotate-secret'.",
	slipway.SignatureVerdictInvalid: "The signature does not fit the webhook's secret. Set the secret at the provider again, or make a new one with 'aws codebuild update-webhook --rotate-secret'.",
	slipway.SignatureVerdictStale:   "The delivery was signed more than five minutes away from this server's clock. Set the clock right: 'slipway doctor' says how far it is off.",
}

// Deliver takes a delivery that nobody sent: what was found by comparing. Its
// signature is POLLED, its body an event.Delivery as JSON, and its ID the same
// when the same is found again, which is then no error. It is durable when
// Deliver returns.
func (r *Receiver) Deliver(ctx context.Context, d webhook.Delivery) error {
	_, again, err := r.parts.Deliveries.Accept(ctx, d)
	if err == nil && !again {
		signal(r.wake)
	}
	return err
}

// failed answers what is our own fault, so that the provider shows a failure.
func (r *Receiver) failed(w http.ResponseWriter, ctx context.Context, err error) {
	if ctx.Err() == nil {
		r.log.Error("delivery not stored", "error", err)
	}
	answer(w, http.StatusServiceUnavailable, "", "The delivery could not be stored. Deliver it again in a moment.")
}

func answer(w http.ResponseWriter, status int, id, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(struct {
		ID      string `json:"id,omitzero"`
		Message string `json:"message,omitzero"`
	}{id, message})
}
