package receiver

import (
	"context"

	"github.com/google/uuid"

	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/webhook"
)

// Redeliver evaluates a stored delivery anew, against the filters as they are
// today, as a delivery of its own whose sequence is returned; what it builds is
// built again. NotFound if there is none in scope, Invalid if its payload was
// not kept or its hook is gone.
func (r *Receiver) Redeliver(ctx context.Context, scope arn.Scope, sequence int64) (int64, error) {
	old, err := r.withPayload(ctx, scope, sequence)
	if err != nil {
		return 0, err
	}
	if _, err := r.parts.Hooks.Find(ctx, old.Hook); fault.KindOf(err) == fault.NotFound {
		return 0, fault.New(fault.Invalid, "The webhook that heard delivery %s was deleted: nobody hears it any more. "+
			"'slipway webhook test PROJECT --payload FILE' evaluates its payload without building.", webhook.DeliveryName(sequence))
	} else if err != nil {
		return 0, err
	}
	anew := old
	anew.Sequence, anew.ID = 0, old.ID+"/"+uuid.NewString()
	anew.Received, anew.Pending = r.options.Now(), true
	anew.Record = webhook.DeliveryRecord{
		Event: old.Record.Event, Repository: old.Record.Repository, Sender: old.Record.Sender, Signature: old.Record.Signature,
		State: slipway.DeliveryStatePending, Redelivery: sequence,
	}
	stored, _, err := r.parts.Deliveries.Accept(ctx, anew)
	if err != nil {
		return 0, err
	}
	signal(r.wake)
	return stored.Sequence, nil
}

// withPayload returns a delivery of the scope, whose payload was kept.
func (r *Receiver) withPayload(ctx context.Context, scope arn.Scope, sequence int64) (webhook.Delivery, error) {
	d, err := r.parts.Deliveries.Find(ctx, scope, sequence)
	if err == nil && d.Body == nil {
		err = fault.New(fault.Invalid, "Delivery %s was badly signed, so that its payload was not kept: deliver it again at the provider.", webhook.DeliveryName(sequence))
	}
	return d, err
}
