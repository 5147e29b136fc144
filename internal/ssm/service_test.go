package ssm

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"slipway/internal/accesskey"
	"slipway/internal/api/ssm"
	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/seal"
	"slipway/internal/secret"
	"slipway/internal/store"
	"slipway/internal/vault"
)

var (
	scope = arn.Scope{Account: "000000000000", Region: "us-east-1"}
	noon  = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
)

// A bench is a Service on a real database, and a caller.
type bench struct {
	*Service
	t   *testing.T
	ctx context.Context
	db  *store.DB
}

func newBench(t *testing.T) *bench {
	t.Helper()
	db, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	keys, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	ctx := accesskey.WithCaller(t.Context(), accesskey.Caller{Scope: scope, User: "ada"})
	return &bench{New(db.Parameters(), db.Uses(), keys, func() time.Time { return noon }), t, ctx, db}
}

func (b *bench) put(name, value string, typ ssm.ParameterType, tags ...ssm.Tag) {
	b.t.Helper()
	in := &ssm.PutParameterRequest{Name: name, Value: secret.New(value), Type: typ, Tags: tags, Description: new("for " + name)}
	if len(tags) == 0 {
		in.Overwrite = new(true)
	}
	if _, err := b.PutParameter(b.ctx, in); err != nil {
		b.t.Fatal(err)
	}
}

func wants(t *testing.T, err error, kind fault.Kind, reason fault.Reason, text string) {
	t.Helper()
	if err == nil || fault.KindOf(err) != kind || fault.ReasonOf(err) != reason || !strings.Contains(fault.Message(err), text) {
		t.Errorf("error %v of kind %d for %q, want %q of kind %d for %q", err, fault.KindOf(err), fault.ReasonOf(err), text, kind, reason)
	}
}

func TestAParameterIsPutAndRead(t *testing.T) {
	b := newBench(t)
	out, err := b.PutParameter(b.ctx, &ssm.PutParameterRequest{Name: "/app/password", Value: secret.New("hunter22"), Type: secureString})
	if err != nil || *out.Version != 1 || out.Tier != ssm.ParameterTierStandard {
		t.Fatalf("PutParameter = %+v, %v", out, err)
	}
	_, err = b.PutParameter(b.ctx, &ssm.PutParameterRequest{Name: "/app/password", Value: secret.New("hunter23"), Type: secureString})
	wants(t, err, fault.Exists, "", "The parameter already exists.")
	b.put("/app/password", "hunter23", "")

	for name, want := range map[string]string{
		"/app/password": "hunter23", "/app/password:1": "hunter22", "/app/password:2": "hunter23",
		"arn:aws:ssm:us-east-1:000000000000:parameter/app/password": "hunter23",
	} {
		got, err := b.GetParameter(b.ctx, &ssm.GetParameterRequest{Name: name, WithDecryption: new(true)})
		if err != nil || *got.Parameter.Value != want || *got.Parameter.Name != "/app/password" || got.Parameter.Type != secureString {
			t.Errorf("GetParameter(%s) = %+v, %v", name, got, err)
		}
	}
	sealed, err := b.GetParameter(b.ctx, &ssm.GetParameterRequest{Name: "/app/password"})
	if err != nil || strings.Contains(*sealed.Parameter.Value, "hunter") || len(*sealed.Parameter.Value) < 20 {
		t.Errorf("without decryption it is %+v, %v", sealed, err)
	}
	for name, reason := range map[string]fault.Reason{"/app/none": "", "/app/password:3": vault.NoVersion, "/app/password:prod": vault.NoVersion, "arn:aws:ssm:us-east-1:1:parameter/x": ""} {
		_, err := b.GetParameter(b.ctx, &ssm.GetParameterRequest{Name: name})
		wants(t, err, fault.NotFound, reason, "")
	}
	many, err := b.GetParameters(b.ctx, &ssm.GetParametersRequest{Names: []string{"/app/none", "/app/password:1", "/app/password", "/app/password"}, WithDecryption: new(true)})
	if err != nil || len(many.Parameters) != 2 || *many.Parameters[0].Selector != ":1" || strings.Join(many.InvalidParameters, " ") != "/app/none" {
		t.Errorf("GetParameters = %+v, %v", many, err)
	}
	last, err := b.db.Uses().Last(b.ctx, []string{"arn:aws:ssm:us-east-1:000000000000:parameter/app/password"})
	if err != nil || len(last) != 1 || last["arn:aws:ssm:us-east-1:000000000000:parameter/app/password"].User != "arn:aws:iam::000000000000:user/ada" {
		t.Errorf("its last use is %+v, %v", last, err)
	}

	history, err := b.GetParameterHistory(b.ctx, &ssm.GetParameterHistoryRequest{Name: "/app/password", WithDecryption: new(true), MaxResults: new(1)})
	if err != nil || len(history.Parameters) != 1 || *history.Parameters[0].Value != "hunter22" || history.NextToken == nil {
		t.Fatalf("GetParameterHistory = %+v, %v", history, err)
	}
	history, err = b.GetParameterHistory(b.ctx, &ssm.GetParameterHistoryRequest{Name: "/app/password", WithDecryption: new(true), NextToken: history.NextToken})
	if err != nil || len(history.Parameters) != 1 || *history.Parameters[0].Value != "hunter23" || history.NextToken != nil {
		t.Errorf("its second page = %+v, %v", history, err)
	}
	_, err = b.GetParameterHistory(b.ctx, &ssm.GetParameterHistoryRequest{Name: "/app/password", NextToken: new("AAAA")})
	wants(t, err, fault.Invalid, vault.BadPage, "token isn't valid")

	removed, err := b.DeleteParameters(b.ctx, &ssm.DeleteParametersRequest{Names: []string{"/app/password", "/app/none"}})
	if err != nil || strings.Join(removed.DeletedParameters, " ") != "/app/password" || strings.Join(removed.InvalidParameters, " ") != "/app/none" {
		t.Errorf("DeleteParameters = %+v, %v", removed, err)
	}
	_, err = b.DeleteParameter(b.ctx, &ssm.DeleteParameterRequest{Name: "/app/password"})
	wants(t, err, fault.NotFound, "", "Parameter /app/password not found.")
}

func (b *bench) byPath(path string, recursive bool, size int) (pages []string) {
	b.t.Helper()
	in := &ssm.GetParametersByPathRequest{Path: path, Recursive: &recursive, MaxResults: &size}
	for {
		out, err := b.GetParametersByPath(b.ctx, in)
		if err != nil {
			b.t.Fatal(err)
		}
		var names []string
		for _, p := range out.Parameters {
			names = append(names, *p.Name+"="+*p.Value)
		}
		pages = append(pages, strings.Join(names, " "))
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return pages
		}
	}
}

func TestParametersByPath(t *testing.T) {
	b := newBench(t)
	for _, name := range []string{"/a/1", "/a/2", "/a/b/3", "/a/b/c/4", "/ab/5", "top", "/root"} {
		b.put(name, "v"+name[len(name)-1:], ssm.ParameterTypeString)
	}
	for _, c := range []struct {
		path      string
		recursive bool
		size      int
		want      string
	}{
		{"/a", false, 10, "/a/1=v1 /a/2=v2"},
		{"/a/", true, 10, "/a/1=v1 /a/2=v2 /a/b/3=v3 /a/b/c/4=v4"},
		{"/a", true, 2, "/a/1=v1 /a/2=v2 | /a/b/3=v3 /a/b/c/4=v4"},
		{"/a", true, 3, "/a/1=v1 /a/2=v2 /a/b/3=v3 | /a/b/c/4=v4"},
		{"/", false, 10, "/root=vt"},
		{"/none", true, 10, ""},
	} {
		if got := strings.Join(b.byPath(c.path, c.recursive, c.size), " | "); got != c.want {
			t.Errorf("%s, recursive %v, by %d: %s, want %s", c.path, c.recursive, c.size, got, c.want)
		}
	}
	_, err := b.GetParametersByPath(b.ctx, &ssm.GetParametersByPathRequest{Path: "a"})
	wants(t, err, fault.Constraint, "", "must begin with a slash")
	_, err = b.GetParametersByPath(b.ctx, &ssm.GetParametersByPathRequest{Path: "/a", NextToken: new("!")})
	wants(t, err, fault.Invalid, vault.BadPage, "token isn't valid")
	_, err = b.GetParametersByPath(b.ctx, &ssm.GetParametersByPathRequest{Path: "/a", ParameterFilters: []ssm.ParameterStringFilter{{Key: "Name", Values: []string{"x"}}}})
	wants(t, err, fault.Invalid, vault.BadFilterKey, "cannot be used here")
}

func TestParametersAreDescribedByFilters(t *testing.T) {
	b := newBench(t)
	b.put("/a/secret", "v", secureString, ssm.Tag{Key: "team", Value: "shop"})
	b.put("/a/b/list", "v,w", ssm.ParameterTypeStringList, ssm.Tag{Key: "team", Value: "ops"})
	b.put("top", "v", ssm.ParameterTypeString)
	filter := func(key, option string, values ...string) []ssm.ParameterStringFilter {
		f := ssm.ParameterStringFilter{Key: key, Values: values}
		if option != "" {
			f.Option = &option
		}
		return []ssm.ParameterStringFilter{f}
	}
	for _, c := range []struct {
		filters []ssm.ParameterStringFilter
		want    string
	}{
		{nil, "/a/b/list /a/secret top"},
		{filter("Name", "Equals", "/a/secret"), "/a/secret"},
		{filter("Name", "", "a/secret", "/top"), "/a/secret top"},
		{filter("Name", "BeginsWith", "/a"), "/a/b/list /a/secret"},
		{filter("Name", "Contains", "o"), "top"},
		{filter("Type", "", "SecureString"), "/a/secret"},
		{filter("KeyId", "", "alias/aws/ssm"), "/a/secret"},
		{filter("Tier", "", "Standard"), "/a/b/list /a/secret top"},
		{filter("DataType", "", "aws:ec2:image"), ""},
		{filter("Label", "", "x"), ""},
		{filter("Path", "", "/a"), "/a/secret"},
		{filter("Path", "Recursive", "/a"), "/a/b/list /a/secret"},
		{filter("tag:team", ""), "/a/b/list /a/secret"},
		{filter("tag:team", "Equals", "ops"), "/a/b/list"},
		{append(filter("tag:team", "", "ops"), filter("Type", "", "String")...), ""},
	} {
		out, err := b.DescribeParameters(b.ctx, &ssm.DescribeParametersRequest{ParameterFilters: c.filters})
		if err != nil {
			t.Errorf("%+v: %v", c.filters, err)
			continue
		}
		var names []string
		for _, p := range out.Parameters {
			names = append(names, *p.Name)
			if *p.Description != "for "+*p.Name || *p.Version != 1 || *p.LastModifiedUser != "arn:aws:iam::000000000000:user/ada" || !p.LastModifiedDate.Equal(noon) {
				t.Errorf("%s is described as %+v", *p.Name, p)
			}
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%s: %s, want %s", describe(c.filters), got, c.want)
		}
	}
	for _, c := range []struct {
		filters []ssm.ParameterStringFilter
		kind    fault.Kind
		reason  fault.Reason
		want    string
	}{
		{filter("Colour", "", "x"), fault.Invalid, vault.BadFilterKey, "Colour cannot be used"},
		{filter("Name", "Recursive", "x"), fault.Invalid, vault.BadFilterOption, "Recursive is not valid"},
		{filter("Type", "Contains", "x"), fault.Invalid, vault.BadFilterOption, "Contains is not valid"},
		{filter("Path", "Equals", "/x"), fault.Invalid, vault.BadFilterOption, "Equals is not valid"},
		{filter("Path", "", "x"), fault.Invalid, vault.BadFilterValue, "must begin with a slash"},
		{filter("Name", ""), fault.Invalid, vault.BadFilterValue, "has no values"},
		{append(filter("Name", "", "x"), filter("Name", "", "y")...), fault.Constraint, "", "is there twice"},
	} {
		_, err := b.DescribeParameters(b.ctx, &ssm.DescribeParametersRequest{ParameterFilters: c.filters})
		wants(t, err, c.kind, c.reason, c.want)
	}
	old := []ssm.ParametersFilter{{Key: ssm.ParametersFilterKeyName, Values: []string{"/a/s"}}}
	if out, err := b.DescribeParameters(b.ctx, &ssm.DescribeParametersRequest{Filters: old}); err != nil || len(out.Parameters) != 1 {
		t.Errorf("the older form of filters: %+v, %v", out, err)
	}
	_, err := b.DescribeParameters(b.ctx, &ssm.DescribeParametersRequest{Filters: old, ParameterFilters: filter("Name", "", "x")})
	wants(t, err, fault.Constraint, "", "either Filters or ParameterFilters")
	if out, err := b.DescribeParameters(b.ctx, &ssm.DescribeParametersRequest{Shared: new(true)}); err != nil || len(out.Parameters) != 0 {
		t.Errorf("shared ones: %+v, %v", out, err)
	}
}

func describe(all []ssm.ParameterStringFilter) string {
	var b strings.Builder
	for _, f := range all {
		option := ""
		if f.Option != nil {
			option = *f.Option
		}
		fmt.Fprintf(&b, "%s %s %v ", f.Key, option, f.Values)
	}
	return b.String()
}

func TestManyParametersArePaged(t *testing.T) {
	b := newBench(t)
	for i := range 130 {
		b.put(fmt.Sprintf("/p/%03d", i), "v", ssm.ParameterTypeString)
	}
	var sizes []string
	in := &ssm.DescribeParametersRequest{}
	for {
		out, err := b.DescribeParameters(b.ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, fmt.Sprint(len(out.Parameters)))
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	if got := strings.Join(sizes, " "); got != "50 50 30" {
		t.Errorf("pages of %s", got)
	}
}

func TestTagsOfParameters(t *testing.T) {
	b := newBench(t)
	b.put("/a", "v", ssm.ParameterTypeString, ssm.Tag{Key: "one", Value: "1"})
	const parameter = ssm.ResourceTypeForTaggingParameter
	if _, err := b.AddTagsToResource(b.ctx, &ssm.AddTagsToResourceRequest{ResourceType: parameter, ResourceID: "/a", Tags: []ssm.Tag{{Key: "two", Value: "2"}, {Key: "one", Value: "I"}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.RemoveTagsFromResource(b.ctx, &ssm.RemoveTagsFromResourceRequest{ResourceType: parameter, ResourceID: "/a", TagKeys: []string{"two", "three"}}); err != nil {
		t.Fatal(err)
	}
	out, err := b.ListTagsForResource(b.ctx, &ssm.ListTagsForResourceRequest{ResourceType: parameter, ResourceID: "/a"})
	if err != nil || fmt.Sprint(out.TagList) != "[{one I}]" {
		t.Errorf("ListTagsForResource = %+v, %v", out, err)
	}
	if got, err := b.GetParameter(b.ctx, &ssm.GetParameterRequest{Name: "/a"}); err != nil || *got.Parameter.Version != 1 || *got.Parameter.Value != "v" {
		t.Errorf("tags made it %+v, %v", got, err)
	}
	_, err = b.ListTagsForResource(b.ctx, &ssm.ListTagsForResourceRequest{ResourceType: parameter, ResourceID: "/none"})
	wants(t, err, fault.Invalid, vault.BadResource, "There is no parameter /none")
	_, err = b.ListTagsForResource(b.ctx, &ssm.ListTagsForResourceRequest{ResourceType: "Document", ResourceID: "/a"})
	wants(t, err, fault.Invalid, vault.BadResourceType, "")
}
