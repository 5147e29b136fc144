package store

import (
	"context"
	"database/sql"
	"errors"

	"slipway/internal/accesskey"
	"slipway/internal/fault"
)

// AccessKeys are the key pairs that sign requests.
type AccessKeys struct{ db *DB }

const accessKeyColumns = `id, account, user_name, box, created, expires`

// Put stores k, in place of one with the same id.
func (s *AccessKeys) Put(ctx context.Context, k accesskey.Sealed) error {
	err := s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		_, err := q.exec(ctx, `INSERT INTO access_key (`+accessKeyColumns+`) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (id) DO UPDATE SET account = excluded.account, user_name = excluded.user_name, box = excluded.box,
			created = excluded.created, expires = excluded.expires`,
			k.ID, k.Account, k.User, k.Box, stamp(k.Created), stamp(k.Expires))
		return err
	})
	return doing(err, "store access key %s", k.ID)
}

// Get returns the key with this id, expired or not, or NotFound.
func (s *AccessKeys) Get(ctx context.Context, id string) (accesskey.Sealed, error) {
	k, err := one(ctx, s.db.read, scanAccessKey, `SELECT `+accessKeyColumns+` FROM access_key WHERE id = $1`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return k, fault.New(fault.NotFound, "The access key does not exist")
	}
	return k, doing(err, "read access key")
}

// List returns all keys, oldest first.
func (s *AccessKeys) List(ctx context.Context) ([]accesskey.Sealed, error) {
	all, err := many(ctx, s.db.read, scanAccessKey, `SELECT `+accessKeyColumns+` FROM access_key ORDER BY created, id`)
	return all, doing(err, "list access keys")
}

func scanAccessKey(row scan) (k accesskey.Sealed, err error) {
	var created, expires int64
	err = row(&k.ID, &k.Account, &k.User, &k.Box, &created, &expires)
	k.Created, k.Expires = moment(created), moment(expires)
	return k, err
}
