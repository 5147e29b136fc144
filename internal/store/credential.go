package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/credential"
	"slipway/internal/fault"
)

// Credentials are the source credentials: one default for each server type in a
// scope, and named ones.
type Credentials struct{ db *DB }

const credentialColumns = `account, region, arn, name, server_type, auth_type, username, box, resource, connection_arn,
	match_host, match_owner, match_repository, hosts, ca, expires, version, created, modified`

// Put stores c. If its ARN is taken in the scope and overwrite is false, it
// returns a fault of kind Exists and changes nothing. Replacing keeps the time
// of creation, counts the version up and moves the token to the past ones. A
// credential without hosts or certificates keeps those of the one it replaces,
// if that was for the same server type: importing a new token is no reason to
// send it elsewhere.
func (s *Credentials) Put(ctx context.Context, c credential.Sealed, overwrite bool) error {
	hosts, err := encode(append([]string{}, c.Hosts...))
	if err != nil {
		return err
	}
	query := `INSERT INTO credential (` + credentialColumns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 1, $17, $18)
		ON CONFLICT (account, region, arn) DO `
	if overwrite {
		query += `UPDATE SET name = excluded.name, server_type = excluded.server_type, auth_type = excluded.auth_type, username = excluded.username,
			box = excluded.box, resource = excluded.resource, connection_arn = excluded.connection_arn, match_host = excluded.match_host,
			match_owner = excluded.match_owner, match_repository = excluded.match_repository,
			hosts = CASE WHEN excluded.hosts = '[]' AND credential.server_type = excluded.server_type THEN credential.hosts ELSE excluded.hosts END,
			ca = CASE WHEN excluded.ca = '' AND credential.server_type = excluded.server_type THEN credential.ca ELSE excluded.ca END,
			expires = excluded.expires, version = credential.version + 1, modified = excluded.modified`
	} else {
		query += `NOTHING`
	}
	err = s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		if overwrite {
			if _, err := q.exec(ctx, `INSERT INTO past_credential (arn, version, server_type, auth_type, username, box, replaced)
				SELECT arn, version, server_type, auth_type, username, box, $1 FROM credential
				WHERE account = $2 AND region = $3 AND arn = $4 AND box IS NOT NULL`,
				stamp(c.Modified), c.Scope.Account, c.Scope.Region, c.ARN); err != nil {
				return err
			}
		}
		changed, err := q.exec(ctx, query, c.Scope.Account, c.Scope.Region, c.ARN, c.Name, string(c.ServerType), string(c.AuthType),
			c.Username, c.Box, c.Resource, c.ConnectionARN, c.Match.Host, c.Match.Owner, c.Match.Repository, hosts, c.CA,
			stamp(c.Expires), stamp(c.Created), stamp(c.Modified))
		if err == nil && changed == 0 {
			return taken(c.About)
		}
		return err
	})
	return doing(err, "store source credential %s", c.ARN)
}

func taken(a credential.About) error {
	if a.Name != "" {
		return fault.New(fault.Exists, "A source credential with the name %s exists already. Choose another name, or delete it with 'slipway credential delete %s'.", a.Name, a.Name)
	}
	return fault.New(fault.Exists, "Access token with server type %s already exists. Delete its source credential and try again.", a.ServerType)
}

// Get returns the default credential of a scope for a server type, or NotFound.
func (s *Credentials) Get(ctx context.Context, scope arn.Scope, serverType api.ServerType) (credential.Sealed, error) {
	c, err := one(ctx, s.db.read, scanCredential,
		`SELECT `+credentialColumns+` FROM credential WHERE account = $1 AND region = $2 AND server_type = $3 AND name = ''`,
		scope.Account, scope.Region, string(serverType))
	if errors.Is(err, sql.ErrNoRows) {
		return c, fault.New(fault.NotFound, "Could not find access token for server type %s", serverType)
	}
	return c, doing(err, "read source credential of %s", serverType)
}

// List returns the default credentials of a scope by server type.
func (s *Credentials) List(ctx context.Context, scope arn.Scope) ([]credential.Sealed, error) {
	all, err := many(ctx, s.db.read, scanCredential,
		`SELECT `+credentialColumns+` FROM credential WHERE account = $1 AND region = $2 AND name = '' ORDER BY server_type`,
		scope.Account, scope.Region)
	return all, doing(err, "list source credentials")
}

// All returns every credential of a scope: the defaults, then named ones by name.
func (s *Credentials) All(ctx context.Context, scope arn.Scope) ([]credential.Sealed, error) {
	all, err := many(ctx, s.db.read, scanCredential,
		`SELECT `+credentialColumns+` FROM credential WHERE account = $1 AND region = $2 ORDER BY name, server_type`,
		scope.Account, scope.Region)
	return all, doing(err, "list source credentials")
}

// ByName returns the credential with a name, or NotFound.
func (s *Credentials) ByName(ctx context.Context, scope arn.Scope, name string) (credential.Sealed, error) {
	c, err := one(ctx, s.db.read, scanCredential,
		`SELECT `+credentialColumns+` FROM credential WHERE account = $1 AND region = $2 AND name = $3 AND name <> ''`,
		scope.Account, scope.Region, name)
	return c, found(err)
}

// ByARN returns the credential with an ARN, which may be its second one, in the
// form of a connection's, under either name of that service; or NotFound.
func (s *Credentials) ByARN(ctx context.Context, scope arn.Scope, arn string) (credential.Sealed, error) {
	c, err := one(ctx, s.db.read, scanCredential,
		`SELECT `+credentialColumns+` FROM credential WHERE account = $1 AND region = $2 AND (arn = $3 OR (connection_arn = $3 AND connection_arn <> ''))`,
		scope.Account, scope.Region, credential.Canonical(arn))
	return c, found(err)
}

// found makes an empty answer about a credential NotFound. What was asked for is
// not repeated: it may be a token, given by mistake.
func found(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fault.New(fault.NotFound, "There is no such source credential. 'slipway credential list' shows those that there are.")
	}
	return doing(err, "read source credential")
}

// Delete removes the credential with this ARN and its past tokens; NotFound if
// there is none in scope. What it was used for stays known.
func (s *Credentials) Delete(ctx context.Context, scope arn.Scope, arn string) error {
	err := s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		changed, err := q.exec(ctx, `DELETE FROM credential WHERE account = $1 AND region = $2 AND arn = $3`,
			scope.Account, scope.Region, arn)
		if err != nil {
			return err
		}
		if changed == 0 {
			return fault.New(fault.NotFound, "Source credentials do not exist: %s", arn)
		}
		_, err = q.exec(ctx, `DELETE FROM past_credential WHERE arn = $1`, arn)
		return err
	})
	return doing(err, "delete source credential")
}

func scanCredential(row scan) (c credential.Sealed, err error) {
	var hosts string
	var expires, created, modified int64
	err = row(&c.Scope.Account, &c.Scope.Region, &c.ARN, &c.Name, &c.ServerType, &c.AuthType, &c.Username, &c.Box, &c.Resource, &c.ConnectionARN,
		&c.Match.Host, &c.Match.Owner, &c.Match.Repository, &hosts, &c.CA, &expires, &c.Version, &created, &modified)
	if err == nil && json.Unmarshal([]byte(hosts), &c.Hosts) != nil {
		err = errBroken
	}
	c.Expires, c.Created, c.Modified = moment(expires), moment(created), moment(modified)
	return c, err
}
