package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/outbox"
	"slipway/internal/project"
	"slipway/internal/webhook"
)

// Hooks are the payload URLs at which providers call, and which projects hear
// them.
type Hooks struct{ db *DB }

const selectHook = `SELECT hook.key, hook.account, hook.region, server_type, place, hook.project, box, old_box, old_until, record, created, modified FROM hook `

// Reserve stores h, or returns the hook that stands at its place already, which
// is one of the same scope, server type, place and owner.
func (s *Hooks) Reserve(ctx context.Context, h webhook.SealedHook) (webhook.SealedHook, error) {
	record, err := encode(h.Record)
	if err != nil {
		return h, err
	}
	stands := h
	err = s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		changed, err := q.exec(ctx, `INSERT INTO hook (key, account, region, server_type, place, project, box, old_box, old_until, record, created, modified)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (account, region, server_type, place, project) DO NOTHING`,
			h.Key, h.Scope.Account, h.Scope.Region, string(h.ServerType), h.Place, h.Project, h.Box, h.OldBox, stamp(h.OldUntil), record,
			stamp(h.Created), stamp(h.Modified))
		if err != nil || changed > 0 {
			return err
		}
		stands, err = one(ctx, q, scanHook, selectHook+`WHERE account = $1 AND region = $2 AND server_type = $3 AND place = $4 AND project = $5`,
			h.Scope.Account, h.Scope.Region, string(h.ServerType), h.Place, h.Project)
		return err
	})
	return stands, doing(err, "store the hook of %s", h.Place)
}

// Find returns the hook with a key, or NotFound.
func (s *Hooks) Find(ctx context.Context, key string) (webhook.SealedHook, error) {
	h, err := one(ctx, s.db.read, scanHook, selectHook+`WHERE key = $1`, key)
	if errors.Is(err, sql.ErrNoRows) {
		return h, fault.New(fault.NotFound, "There is no such webhook")
	}
	return h, doing(err, "read a hook")
}

// OfProject returns the hook that a project hears, or NotFound.
func (s *Hooks) OfProject(ctx context.Context, scope arn.Scope, name string) (webhook.SealedHook, error) {
	h, err := one(ctx, s.db.read, scanHook, selectHook+`JOIN webhook ON webhook.hook = hook.key
		WHERE webhook.account = $1 AND webhook.region = $2 AND webhook.project = $3`, scope.Account, scope.Region, name)
	if errors.Is(err, sql.ErrNoRows) {
		return h, fault.New(fault.NotFound, "Webhook for project %s does not exist", name)
	}
	return h, doing(err, "read the hook of project %s", name)
}

// All returns every hook there is.
func (s *Hooks) All(ctx context.Context) ([]webhook.SealedHook, error) {
	all, err := many(ctx, s.db.read, scanHook, selectHook+`ORDER BY account, region, server_type, place, project`)
	return all, doing(err, "list hooks")
}

// Change replaces the secrets and the record of a hook by what change makes of
// it, in one transaction; NotFound if there is none. An error of change is
// returned and nothing is stored. change may run more than once and must not block.
func (s *Hooks) Change(ctx context.Context, key string, change func(*webhook.SealedHook) error) (h webhook.SealedHook, err error) {
	err = s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		h, err = one(ctx, q, scanHook, selectHook+`WHERE key = $1`, key)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.New(fault.NotFound, "There is no such webhook")
		}
		if err != nil {
			return err
		}
		if err := change(&h); err != nil {
			return err
		}
		record, err := encode(h.Record)
		if err != nil {
			return err
		}
		_, err = q.exec(ctx, `UPDATE hook SET box = $1, old_box = $2, old_until = $3, record = $4, modified = $5 WHERE key = $6`,
			h.Box, h.OldBox, stamp(h.OldUntil), record, stamp(h.Modified), key)
		return err
	})
	return h, doing(err, "change a hook")
}

// Attach lets a project hear a hook, which must be there, and changes the
// project, in one transaction; NotFound if either is missing. What the project
// heard before it hears no more.
func (s *Hooks) Attach(ctx context.Context, scope arn.Scope, name, key string, change func(project.Project) (project.Project, error)) (p project.Project, err error) {
	err = s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		known, err := one(ctx, q, scanInto[bool], `SELECT EXISTS (SELECT 1 FROM hook WHERE key = $1)`, key)
		if err != nil {
			return err
		}
		if !known {
			return fault.New(fault.NotFound, "There is no such webhook")
		}
		if p, err = s.changeProject(ctx, q, scope, name, change); err != nil {
			return err
		}
		_, err = q.exec(ctx, `INSERT INTO webhook (account, region, project, hook) VALUES ($1, $2, $3, $4)
			ON CONFLICT (account, region, project) DO UPDATE SET hook = excluded.hook`, scope.Account, scope.Region, name, key)
		return err
	})
	return p, doing(err, "connect project %s with its webhook", name)
}

// Detach ends that a project hears its hook and changes the project, in one
// transaction, and returns the hook's key and how many projects still hear it.
// NotFound if the project is missing or hears none. A nil change leaves the
// project alone.
func (s *Hooks) Detach(ctx context.Context, scope arn.Scope, name string, change func(project.Project) (project.Project, error)) (key string, left int, err error) {
	err = s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		key, err = one(ctx, q, scanInto[string], `SELECT hook FROM webhook WHERE account = $1 AND region = $2 AND project = $3`,
			scope.Account, scope.Region, name)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.New(fault.NotFound, "Webhook for project %s does not exist", name)
		}
		if err != nil {
			return err
		}
		if _, err := q.exec(ctx, `DELETE FROM webhook WHERE account = $1 AND region = $2 AND project = $3`, scope.Account, scope.Region, name); err != nil {
			return err
		}
		if change != nil {
			if _, err := s.changeProject(ctx, q, scope, name, change); err != nil {
				return err
			}
		}
		left, err = one(ctx, q, scanInto[int], `SELECT count(*) FROM webhook WHERE hook = $1`, key)
		return err
	})
	return key, left, doing(err, "disconnect project %s from its webhook", name)
}

// Delete removes a hook that no project hears, and adds what is owed for it to
// the outbox, in one durable transaction. removed is false if a project hears
// it, or it is gone already; then nothing is added.
func (s *Hooks) Delete(ctx context.Context, key string, owed ...outbox.Item) (removed bool, err error) {
	err = s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		changed, err := q.exec(ctx, `DELETE FROM hook WHERE key = $1 AND NOT EXISTS (SELECT 1 FROM webhook WHERE hook = $1)`, key)
		removed = changed > 0
		if err != nil || !removed {
			return err
		}
		if _, err := q.exec(ctx, `DELETE FROM polled_ref WHERE hook = $1`, key); err != nil {
			return err
		}
		for _, item := range owed {
			if err := addItem(ctx, q, item); err != nil {
				return err
			}
		}
		return nil
	})
	return removed, doing(err, "delete a hook")
}

// Listeners returns the projects that hear a hook, by name.
func (s *Hooks) Listeners(ctx context.Context, key string) ([]project.Project, error) {
	all, err := many(ctx, s.db.read, func(row scan) (project.Project, error) {
		var scope arn.Scope
		var record string
		if err := row(&scope.Account, &scope.Region, &record); err != nil {
			return project.Project{}, err
		}
		public, err := s.db.projects.decode(record)
		return project.Project{Scope: scope, Public: public}, err
	}, `SELECT project.account, project.region, project.record FROM webhook
		JOIN project ON project.account = webhook.account AND project.region = webhook.region AND project.name = webhook.project
		WHERE webhook.hook = $1 ORDER BY project.name`, key)
	return all, doing(err, "read who hears a hook")
}

func (s *Hooks) changeProject(ctx context.Context, q *statements, scope arn.Scope, name string, change func(project.Project) (project.Project, error)) (project.Project, error) {
	projects := Projects{s.db}
	p, err := projects.get(ctx, q, scope, name)
	if err != nil {
		return p, err
	}
	if p, err = change(p); err != nil {
		return p, err
	}
	return p, projects.save(ctx, q, scope, name, p)
}

func scanHook(row scan) (h webhook.SealedHook, err error) {
	var oldUntil, created, modified int64
	var record string
	if err := row(&h.Key, &h.Scope.Account, &h.Scope.Region, &h.ServerType, &h.Place, &h.Project, &h.Box, &h.OldBox, &oldUntil, &record, &created, &modified); err != nil {
		return h, err
	}
	if json.Unmarshal([]byte(record), &h.Record) != nil {
		return h, fmt.Errorf("hook of %s: %w", h.Place, errBroken)
	}
	h.OldUntil, h.Created, h.Modified = moment(oldUntil), moment(created), moment(modified)
	return h, nil
}
