package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/project"
)

// Projects are the build projects, by name in a scope. Projects that are read
// share memory: change one by replacing its members, not what they lead to.
type Projects struct{ db *DB }

// Create stores p; Exists if its name is taken.
func (s *Projects) Create(ctx context.Context, p project.Project) error {
	row, err := newProjectRow(p)
	if err != nil {
		return err
	}
	err = s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		changed, err := q.exec(ctx, `INSERT INTO project (account, region, name, created, modified, concurrent_limit, record)
			VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (account, region, name) DO NOTHING`,
			p.Scope.Account, p.Scope.Region, row.name, row.created, row.modified, row.limit, row.record)
		if err == nil && changed == 0 {
			return fault.New(fault.Exists, "Project already exists: %s", p.Scope.Project(row.name))
		}
		return err
	})
	return doing(err, "create project %s", row.name)
}

// Update replaces a project by change(it), in one transaction; NotFound if there
// is none. An error of change is returned and nothing is stored. change may run
// more than once, must not block and must not rename.
func (s *Projects) Update(ctx context.Context, scope arn.Scope, name string, change func(project.Project) (project.Project, error)) (p project.Project, err error) {
	err = s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		p, err = s.get(ctx, q, scope, name)
		if err != nil {
			return err
		}
		if p, err = change(p); err != nil {
			return err
		}
		return s.save(ctx, q, scope, name, p)
	})
	if err != nil {
		return project.Project{}, doing(err, "update project %s", name)
	}
	return p, nil
}

// save stores p, which was read under this name, in this transaction.
func (s *Projects) save(ctx context.Context, q *statements, scope arn.Scope, name string, p project.Project) error {
	row, err := newProjectRow(p)
	if err != nil {
		return err
	}
	if row.name != name || p.Scope != scope {
		return fmt.Errorf("the change made it %s", p.Scope.Project(row.name))
	}
	_, err = q.exec(ctx, `UPDATE project SET created = $1, modified = $2, concurrent_limit = $3, record = $4
		WHERE account = $5 AND region = $6 AND name = $7`,
		row.created, row.modified, row.limit, row.record, scope.Account, scope.Region, name)
	return err
}

// Get returns one project, or NotFound.
func (s *Projects) Get(ctx context.Context, scope arn.Scope, name string) (project.Project, error) {
	p, err := s.get(ctx, s.db.read, scope, name)
	return p, doing(err, "read project %s", name)
}

// GetMany returns the projects among names that exist, by name.
func (s *Projects) GetMany(ctx context.Context, scope arn.Scope, names []string) ([]project.Project, error) {
	list, err := array(names)
	if err != nil {
		return nil, err
	}
	all, err := many(ctx, s.db.read, s.scan(scope),
		`SELECT record FROM project WHERE account = $1 AND region = $2 AND name `+fmt.Sprintf(oneOf, 3)+` ORDER BY name`,
		scope.Account, scope.Region, list)
	return all, doing(err, "read projects")
}

// List returns a page of at most limit names. after is "" or the next that the
// page before returned, or it is Invalid; next is "" after the last page. A
// project that changes while it is sorted by modification may be listed twice.
func (s *Projects) List(ctx context.Context, scope arn.Scope, by api.ProjectSortByType, descending bool, after string, limit int) (names []string, next string, err error) {
	order, compare := "", ">"
	if descending {
		order, compare = " DESC", "<"
	}
	args := []any{scope.Account, scope.Region, limit + 1}
	column, page := "", "" // a time to sort by; the condition for what comes after
	switch by {
	case api.ProjectSortByTypeCreatedTime:
		column = "created"
	case api.ProjectSortByTypeLastModifiedTime:
		column = "modified"
	}
	switch {
	case after == "":
	case column == "":
		page = `AND name ` + compare + ` $4`
		args = append(args, after)
	default:
		at, name, _ := strings.Cut(after, "/")
		stamp, err := strconv.ParseInt(at, 10, 64)
		if err != nil || name == "" {
			return nil, "", fault.New(fault.Invalid, "Invalid next token: it is none of this list's")
		}
		page = `AND (` + column + `, name) ` + compare + ` ($4, $5)`
		args = append(args, stamp, name)
	}
	key, sort := "name", "name"+order
	if column != "" {
		key, sort = column+" || '/' || name", column+order+", "+sort
	}
	names, err = keys(ctx, s.db.read, `SELECT `+key+` AS key FROM project WHERE account = $1 AND region = $2 `+page+` ORDER BY `+sort+` LIMIT $3`, args...)
	if err != nil {
		return nil, "", doing(err, "list projects")
	}
	if len(names) > limit {
		names = names[:limit]
		next = names[limit-1]
	}
	if column != "" {
		for i, key := range names {
			_, names[i], _ = strings.Cut(key, "/")
		}
	}
	return names, next, nil
}

// Delete removes a project, which then hears no hook; that there is none is no
// error. Its builds stay, and a new project of the name goes on counting them.
func (s *Projects) Delete(ctx context.Context, scope arn.Scope, name string) error {
	err := s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		if _, err := q.exec(ctx, `DELETE FROM webhook WHERE account = $1 AND region = $2 AND project = $3`, scope.Account, scope.Region, name); err != nil {
			return err
		}
		_, err := q.exec(ctx, `DELETE FROM project WHERE account = $1 AND region = $2 AND name = $3`, scope.Account, scope.Region, name)
		return err
	})
	return doing(err, "delete project %s", name)
}

// A projectRow is what is derived from a project.
type projectRow struct {
	name              string
	created, modified int64
	limit             *int
	record            string
}

func newProjectRow(p project.Project) (projectRow, error) {
	if p.Public.Name == nil {
		return projectRow{}, errors.New("store project: it has no name")
	}
	record, err := encode(p.Public)
	return projectRow{
		name:    *p.Public.Name,
		created: stamp(p.Public.Created.Time), modified: stamp(p.Public.LastModified.Time),
		limit:  p.Public.ConcurrentBuildLimit,
		record: record,
	}, err
}

func (s *Projects) get(ctx context.Context, q *statements, scope arn.Scope, name string) (project.Project, error) {
	p, err := one(ctx, q, s.scan(scope), `SELECT record FROM project WHERE account = $1 AND region = $2 AND name = $3`,
		scope.Account, scope.Region, name)
	if errors.Is(err, sql.ErrNoRows) {
		return p, noProject(scope, name)
	}
	return p, err
}

func noProject(scope arn.Scope, name string) error {
	return fault.New(fault.NotFound, "Project cannot be found: %s", scope.Project(name))
}

func (s *Projects) scan(scope arn.Scope) func(scan) (project.Project, error) {
	return func(row scan) (project.Project, error) {
		record, err := scanInto[string](row)
		if err != nil {
			return project.Project{}, err
		}
		public, err := s.db.projects.decode(record)
		return project.Project{Scope: scope, Public: public}, err
	}
}
