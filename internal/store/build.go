package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"slipway/internal/arn"
	"slipway/internal/build"
	"slipway/internal/fault"
	"slipway/internal/outbox"
)

// Builds are the builds, in their order of acceptance.
type Builds struct{ db *DB }

const selectBuild = `SELECT seq, account, region, number, state, record FROM build `

// Get returns one build by id (project:uuid), or NotFound.
func (s *Builds) Get(ctx context.Context, scope arn.Scope, id string) (build.Build, error) {
	b, err := one(ctx, s.db.read, scanBuild, selectBuild+`WHERE id = $1 AND account = $2 AND region = $3`, id, scope.Account, scope.Region)
	if errors.Is(err, sql.ErrNoRows) {
		return b, noBuild(id)
	}
	return b, doing(err, "read build %s", id)
}

// Find returns one build by its id, wherever it is, or NotFound.
func (s *Builds) Find(ctx context.Context, id string) (build.Build, error) {
	b, err := findBuild(ctx, s.db.read, id)
	return b, doing(err, "read build %s", id)
}

// GetMany returns the builds among ids that exist, in order of acceptance.
func (s *Builds) GetMany(ctx context.Context, scope arn.Scope, ids []string) ([]build.Build, error) {
	list, err := array(ids)
	if err != nil {
		return nil, err
	}
	all, err := many(ctx, s.db.read, scanBuild,
		selectBuild+`WHERE id `+fmt.Sprintf(oneOf, 1)+` AND account = $2 AND region = $3 ORDER BY seq`, list, scope.Account, scope.Region)
	return all, doing(err, "read builds")
}

// List returns a page of at most limit ids in order of acceptance, of one
// project or, with "", of all. after is 0 or the next that the page before
// returned; next is 0 after the last page.
func (s *Builds) List(ctx context.Context, scope arn.Scope, project string, descending bool, after int64, limit int) (ids []string, next int64, err error) {
	page := `AND seq > $3 ORDER BY seq LIMIT $4`
	if descending {
		page = `AND seq < $3 ORDER BY seq DESC LIMIT $4`
		if after == 0 {
			after = math.MaxInt64
		}
	}
	query := `SELECT seq || '/' || id AS key FROM build WHERE account = $1 AND region = $2 `
	args := []any{scope.Account, scope.Region, after, limit + 1}
	if project != "" {
		query += `AND project = $5 `
		args = append(args, project)
	}
	ids, err = keys(ctx, s.db.read, query+page, args...)
	if err != nil {
		return nil, 0, doing(err, "list builds")
	}
	more := len(ids) > limit
	ids = ids[:min(len(ids), limit)]
	var last string
	for i, key := range ids {
		last, ids[i], _ = strings.Cut(key, "/")
	}
	if more {
		if next, err = strconv.ParseInt(last, 10, 64); err != nil {
			return nil, 0, doing(err, "list builds")
		}
	}
	return ids, next, nil
}

// Unfinished returns every build that has not completed, in order of acceptance.
func (s *Builds) Unfinished(ctx context.Context) ([]build.Build, error) {
	all, err := many(ctx, s.db.read, scanBuild, selectBuild+fmt.Sprintf(using, "build_unfinished")+` WHERE NOT complete ORDER BY seq`)
	return all, doing(err, "list unfinished builds")
}

// Claim applies change to the oldest build that is queued and stores it, in one
// transaction; ok is false if none is queued. An error of change is returned and
// nothing is stored. change may run more than once and must not block.
func (s *Builds) Claim(ctx context.Context, change func(*build.Build) error) (b build.Build, ok bool, err error) {
	err = s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		ok = false
		b, err = one(ctx, q, scanBuild, selectBuild+`WHERE queued ORDER BY seq LIMIT 1`)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		ok = true
		before := b
		if err := change(&b); err != nil {
			return err
		}
		return saveBuild(ctx, q, before, b)
	})
	if err != nil {
		return build.Build{}, false, doing(err, "claim a build")
	}
	return b, ok, nil
}

// Update applies change to a build and stores it and what change returns to the
// outbox, in one transaction; NotFound if there is none. An error of change is
// returned and nothing is stored. change may run more than once and must not block.
func (s *Builds) Update(ctx context.Context, id string, change func(*build.Build) ([]outbox.Item, error)) (b build.Build, err error) {
	err = s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		b, err = findBuild(ctx, q, id)
		if err != nil {
			return err
		}
		before := b
		items, err := change(&b)
		if err != nil {
			return err
		}
		if err := saveBuild(ctx, q, before, b); err != nil {
			return err
		}
		for _, item := range items {
			if err := addItem(ctx, q, item); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return build.Build{}, doing(err, "update build %s", id)
	}
	return b, nil
}

// Delete removes a finished build; NotFound if there is none, Invalid if it is
// in progress. What it still owes to others is delivered all the same.
func (s *Builds) Delete(ctx context.Context, scope arn.Scope, id string) error {
	err := s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		complete, err := one(ctx, q, scanInto[bool],
			`SELECT complete FROM build WHERE id = $1 AND account = $2 AND region = $3`, id, scope.Account, scope.Region)
		if errors.Is(err, sql.ErrNoRows) {
			return noBuild(id)
		}
		if err != nil {
			return err
		}
		if !complete {
			return fault.New(fault.Invalid, "Build %s is in progress", id)
		}
		_, err = q.exec(ctx, `DELETE FROM build WHERE id = $1`, id)
		return err
	})
	return doing(err, "delete build %s", id)
}

func noBuild(id string) error { return fault.New(fault.NotFound, "Build %s does not exist", id) }

func findBuild(ctx context.Context, q *statements, id string) (build.Build, error) {
	b, err := one(ctx, q, scanBuild, selectBuild+`WHERE id = $1`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return b, noBuild(id)
	}
	return b, err
}

func scanBuild(row scan) (b build.Build, err error) {
	var seq, number int64
	var state, record []byte
	if err := row(&seq, &b.Scope.Account, &b.Scope.Region, &number, &state, &record); err != nil {
		return build.Build{}, err
	}
	if json.Unmarshal(state, &b.State) != nil || json.Unmarshal(record, &b.Public) != nil || b.Public.ID == nil {
		return build.Build{}, errBroken
	}
	b.State.Sequence, b.Public.BuildNumber = seq, &number
	return b, nil
}
