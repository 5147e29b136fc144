package store

import (
	"context"
	"math"
	"strconv"

	"slipway/internal/api"
	"slipway/internal/report"
)

func addCases(ctx context.Context, q *statements, seq int64, cases []api.TestCase) error {
	for i, c := range cases {
		if _, err := q.exec(ctx, `INSERT INTO test_case (report, position, status, prefix, name, suite, raw_path, duration, message)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			seq, i+1, column(c.Status), column(c.Prefix), column(c.Name), column(c.TestSuiteName), column(c.TestRawDataPath), column(c.DurationInNanoSeconds), column(c.Message)); err != nil {
			return err
		}
	}
	return nil
}

// addCoverages adds those that are not there yet.
func addCoverages(ctx context.Context, q *statements, seq int64, all []api.CodeCoverage) error {
	for _, c := range all {
		lines, missed := column(c.LinesCovered), column(c.LinesMissed)
		if _, err := q.exec(ctx, `INSERT INTO coverage (report, path, line_part, lines, lines_missed, branches, branches_missed)
			VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (report, path) DO NOTHING`,
			seq, column(c.FilePath), linePart(lines, missed), lines, missed, column(c.BranchesCovered), column(c.BranchesMissed)); err != nil {
			return err
		}
	}
	return nil
}

// column returns *v as a column that is never null holds it.
func column[T any](v *T) (zero T) {
	if v == nil {
		return zero
	}
	return *v
}

// linePart returns the part of lines that are covered in hundredths of a
// percent, -1 if there are none.
func linePart(covered, missed int) int {
	p := report.Percentage(covered, missed)
	if p == nil {
		return -1
	}
	return int(math.Round(*p * 100))
}

// Cases returns a page of at most limit of a report's test cases in their order,
// as they were put: of one status or, with "", of any, and with a keyword in
// their name or prefix, in any case of ASCII letters. after is 0 or the next
// that the page before returned; next is 0 after the last page.
func (s *Reports) Cases(ctx context.Context, r report.Report, status, keyword string, after int64, limit int) (page []api.TestCase, next int64, err error) {
	type placed struct {
		c        api.TestCase
		position int64
	}
	query, args := casePage(r.Sequence, status, keyword, after, limit+1)
	all, err := many(ctx, s.db.read, func(row scan) (p placed, err error) {
		var suite, message string
		p.c = api.TestCase{Status: new(string), Prefix: new(string), Name: new(string), TestRawDataPath: new(string), DurationInNanoSeconds: new(int64)}
		err = row(&p.position, p.c.Status, p.c.Prefix, p.c.Name, &suite, p.c.TestRawDataPath, p.c.DurationInNanoSeconds, &message)
		p.c.TestSuiteName, p.c.Message = known(suite), known(message)
		return p, err
	}, query, args...)
	if err != nil {
		return nil, 0, doing(err, "read the test cases of report %s", r.ID)
	}
	if len(all) > limit {
		all = all[:limit]
		next = all[limit-1].position
	}
	for _, p := range all {
		page = append(page, p.c)
	}
	return page, next, nil
}

func casePage(seq int64, status, keyword string, after int64, limit int) (string, []any) {
	query := `SELECT position, status, prefix, name, suite, raw_path, duration, message FROM test_case WHERE report = $1 AND position > $2`
	args := []any{seq, after, limit}
	if status != "" {
		args = append(args, status)
		query += ` AND status = $` + strconv.Itoa(len(args))
	}
	if keyword != "" {
		args = append(args, `%`+escapeLike(lower(keyword))+`%`)
		n := strconv.Itoa(len(args))
		query += ` AND (lower(name) LIKE $` + n + ` ESCAPE '\' OR lower(prefix) LIKE $` + n + ` ESCAPE '\')`
	}
	return query + ` ORDER BY position LIMIT $3`, args
}

// known returns nil for "".
func known(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// Coverages returns a page of at most limit files of a report. after is zero or
// the next that the page before returned; next is zero after the last page.
func (s *Reports) Coverages(ctx context.Context, r report.Report, of report.CoverageQuery, after report.CoveragePlace, limit int) (page []api.CodeCoverage, next report.CoveragePlace, err error) {
	query, args := coveragesPage(r.Sequence, of, after, limit+1)
	var parts []int64
	page, err = many(ctx, s.db.read, func(row scan) (c api.CodeCoverage, err error) {
		var path string
		var part int64
		var lines, missed, branches, branchesMissed int
		if err := row(&path, &part, &lines, &missed, &branches, &branchesMissed); err != nil {
			return c, err
		}
		parts = append(parts, part)
		return api.CodeCoverage{
			FilePath: &path, LinesCovered: &lines, LinesMissed: &missed, LineCoveragePercentage: report.Percentage(lines, missed),
			BranchesCovered: &branches, BranchesMissed: &branchesMissed, BranchCoveragePercentage: report.Percentage(branches, branchesMissed),
		}, nil
	}, query, args...)
	if err != nil {
		return nil, next, doing(err, "read the coverage of report %s", r.ID)
	}
	if len(page) > limit {
		page = page[:limit]
		next = report.CoveragePlace{Part: parts[limit-1], Path: *page[limit-1].FilePath}
	}
	return page, next, nil
}

func coveragesPage(seq int64, of report.CoverageQuery, after report.CoveragePlace, limit int) (string, []any) {
	order, compare := ``, `>`
	if of.Descending {
		order, compare = ` DESC`, `<`
	}
	args := []any{seq, limit}
	arg := func(v any) string {
		args = append(args, v)
		return `$` + strconv.Itoa(len(args))
	}
	query := `SELECT path, line_part, lines, lines_missed, branches, branches_missed FROM coverage WHERE report = $1`
	if of.Min != nil {
		query += ` AND line_part >= ` + arg(int64(math.Ceil(*of.Min*100-1e-6)))
	}
	if of.Max != nil {
		query += ` AND line_part BETWEEN 0 AND ` + arg(int64(math.Floor(*of.Max*100+1e-6)))
	}
	if of.ByPart {
		if after.Path != "" {
			query += ` AND (line_part, path) ` + compare + ` (` + arg(after.Part) + `, ` + arg(after.Path) + `)`
		}
		return query + ` ORDER BY line_part` + order + `, path` + order + ` LIMIT $2`, args
	}
	if after.Path != "" {
		query += ` AND path ` + compare + ` ` + arg(after.Path)
	}
	return query + ` ORDER BY path` + order + ` LIMIT $2`, args
}
