package cloudwatchlogs

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"slipway/internal/accesskey"
	"slipway/internal/api/logs"
	"slipway/internal/fault"
	"slipway/internal/logstream"
)

// maxListed is the most, and the default, of groups or streams on a page.
const maxListed = 50

// A groupToken says after which group a list goes on.
type groupToken struct {
	After string `json:"after"`
}

// DescribeLogGroups lists groups by name. storedBytes is left out: it would
// mean looking at every stream.
func (s *Service) DescribeLogGroups(ctx context.Context, in *logs.DescribeLogGroupsRequest) (*logs.DescribeLogGroupsResponse, error) {
	if in.LogGroupNamePrefix != nil && in.LogGroupNamePattern != nil {
		return nil, fault.New(fault.Invalid, "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
	}
	scope := accesskey.CallerOf(ctx).Scope
	var token groupToken
	if in.NextToken != nil {
		if err := decodeToken(*in.NextToken, &token); err != nil {
			return nil, err
		}
	}
	var named []string
	for _, identifier := range in.LogGroupIdentifiers {
		name, err := localGroup(scope, identifier)
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return nil, err
		}
		named = append(named, name)
	}
	all, err := s.store.Groups(scope)
	if err != nil {
		return nil, err
	}
	out := &logs.DescribeLogGroupsResponse{LogGroups: []logs.LogGroup{}}
	for _, g := range all {
		if g.Name <= token.After ||
			in.LogGroupNamePrefix != nil && !strings.HasPrefix(g.Name, *in.LogGroupNamePrefix) ||
			in.LogGroupNamePattern != nil && !strings.Contains(g.Name, *in.LogGroupNamePattern) ||
			in.LogGroupIdentifiers != nil && !slices.Contains(named, g.Name) ||
			in.LogGroupClass != "" && in.LogGroupClass != logs.LogGroupClassStandard {
			continue
		}
		if n := len(out.LogGroups); n == limit(in.Limit, maxListed) {
			out.NextToken = encodeToken(groupToken{*out.LogGroups[n-1].LogGroupName})
			break
		}
		name := scope.LogGroup(g.Name)
		out.LogGroups = append(out.LogGroups, logs.LogGroup{
			LogGroupName: new(g.Name), LogGroupARN: new(name), ARN: new(name + ":*"),
			CreationTime: new(g.Created), LogGroupClass: logs.LogGroupClassStandard, MetricFilterCount: new(0),
		})
	}
	return out, nil
}

// A streamToken says after which stream a list goes on.
type streamToken struct {
	Order      logs.OrderBy `json:"order"`
	Descending bool         `json:"descending,omitzero"`
	After      listed       `json:"after"`
}

// listed is a stream's place in a list; Last counts only in order of last events.
type listed struct {
	Name string `json:"name"`
	Last int64  `json:"last,omitzero"`
}

func (l listed) compare(m listed) int {
	return cmp.Or(cmp.Compare(l.Last, m.Last), strings.Compare(l.Name, m.Name))
}

// DescribeLogStreams lists the streams of a group.
func (s *Service) DescribeLogStreams(ctx context.Context, in *logs.DescribeLogStreamsRequest) (*logs.DescribeLogStreamsResponse, error) {
	scope, name, err := group(ctx, in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	byTime := in.OrderBy == logs.OrderByLastEventTime
	prefix := ""
	if in.LogStreamNamePrefix != nil {
		if byTime {
			return nil, fault.New(fault.Invalid, "Cannot order by LastEventTime with a logStreamNamePrefix.")
		}
		prefix = *in.LogStreamNamePrefix
	}
	token := streamToken{Order: cmp.Or(in.OrderBy, logs.OrderByLogStreamName), Descending: in.Descending != nil && *in.Descending}
	start := 0
	streams, err := s.store.Streams(scope, name, prefix)
	if err != nil {
		return nil, err
	}
	all := make([]listed, 0, len(streams))
	for _, l := range streams {
		if byTime {
			all = append(all, listed{l.Name, l.Last})
		} else {
			all = append(all, listed{Name: l.Name})
		}
	}
	sign := 1
	if token.Descending {
		sign = -1
	}
	order := func(l, m listed) int { return sign * l.compare(m) }
	slices.SortFunc(all, order)
	if in.NextToken != nil {
		var given streamToken
		if err := decodeToken(*in.NextToken, &given); err != nil {
			return nil, err
		}
		if given.Order != token.Order || given.Descending != token.Descending {
			return nil, errToken
		}
		var found bool
		if start, found = slices.BinarySearchFunc(all, given.After, order); found {
			start++
		}
	}
	end := min(start+limit(in.Limit, maxListed), len(all))
	out := &logs.DescribeLogStreamsResponse{LogStreams: []logs.LogStream{}}
	for _, l := range all[start:end] {
		described, err := s.describe(logstream.StreamID{Scope: scope, Group: name, Name: l.Name})
		if fault.KindOf(err) == fault.NotFound {
			continue // deleted meanwhile
		}
		if err != nil {
			return nil, err
		}
		out.LogStreams = append(out.LogStreams, described)
	}
	if end < len(all) {
		token.After = all[end-1]
		out.NextToken = encodeToken(token)
	}
	return out, nil
}

func (s *Service) describe(id logstream.StreamID) (logs.LogStream, error) {
	info, err := s.store.Stat(id)
	if err != nil {
		return logs.LogStream{}, err
	}
	l := logs.LogStream{
		LogStreamName: new(id.Name), ARN: new(id.Scope.LogStream(id.Group, id.Name)),
		CreationTime: new(info.Created), StoredBytes: new(info.Bytes),
	}
	if info.Events > 0 {
		l.FirstEventTimestamp, l.LastEventTimestamp, l.LastIngestionTime = new(info.First), new(info.Last), new(info.Stored)
	}
	return l, nil
}
