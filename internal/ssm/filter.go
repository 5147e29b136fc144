package ssm

import (
	"slices"
	"strings"

	"slipway/internal/api/ssm"
	"slipway/internal/fault"
	"slipway/internal/vault"
)

// describeFilters returns what the parameters must be that DescribeParameters is
// asked for, in either form of its filters.
func describeFilters(in *ssm.DescribeParametersRequest) (func(vault.ParameterAbout) bool, error) {
	if len(in.Filters) > 0 && len(in.ParameterFilters) > 0 {
		return nil, fault.New(fault.Constraint, "You can use either Filters or ParameterFilters in a single request.")
	}
	all := in.ParameterFilters
	for _, f := range in.Filters { // the older form: a name is the beginning of one
		option := "Equals"
		if f.Key == ssm.ParametersFilterKeyName {
			option = "BeginsWith"
		}
		all = append(all, ssm.ParameterStringFilter{Key: string(f.Key), Option: &option, Values: f.Values})
	}
	return filters(all, "Name", "Type", "KeyId", "Path", "Label", "Tier", "DataType", "tag:")
}

// filters returns what a parameter must be to pass all filters, whose keys must
// be among the given ones; "tag:" stands for all that begin so.
func filters(all []ssm.ParameterStringFilter, keys ...string) (func(vault.ParameterAbout) bool, error) {
	var tests []func(vault.ParameterAbout) bool
	for i, f := range all {
		if slices.ContainsFunc(all[:i], func(other ssm.ParameterStringFilter) bool { return other.Key == f.Key }) {
			return nil, fault.New(fault.Constraint, "The filter key %s is there twice: name all values in one", f.Key)
		}
		if !slices.ContainsFunc(keys, func(key string) bool { return f.Key == key || key == "tag:" && strings.HasPrefix(f.Key, key) }) {
			return nil, fault.Because(vault.BadFilterKey, fault.Invalid, "The filter key %s cannot be used here: expected one of %s", f.Key, strings.Join(keys, ", "))
		}
		test, err := filter(f)
		if err != nil {
			return nil, err
		}
		tests = append(tests, test)
	}
	return func(p vault.ParameterAbout) bool {
		return !slices.ContainsFunc(tests, func(passes func(vault.ParameterAbout) bool) bool { return !passes(p) })
	}, nil
}

// filter returns what one filter lets pass.
func filter(f ssm.ParameterStringFilter) (func(vault.ParameterAbout) bool, error) {
	option := ""
	if f.Option != nil {
		option = *f.Option
	}
	key, isTag := strings.CutPrefix(f.Key, "tag:")
	if f.Key == "Path" {
		return paths(option, f.Values)
	}
	if len(f.Values) == 0 && !isTag {
		return nil, fault.Because(vault.BadFilterValue, fault.Invalid, "The filter %s has no values: give one at least", f.Key)
	}
	var holds func(text, value string) bool
	switch {
	case option == "" || option == "Equals":
		holds = func(text, value string) bool { return text == value }
	case option == "BeginsWith" && !isTag:
		holds = strings.HasPrefix
	case option == "Contains" && f.Key == "Name":
		holds = strings.Contains
	default:
		return nil, fault.Because(vault.BadFilterOption, fault.Invalid, "The filter option %s is not valid for the key %s: use Equals", option, f.Key)
	}
	among := func(text string) bool {
		return slices.ContainsFunc(f.Values, func(value string) bool { return holds(text, value) })
	}
	return func(p vault.ParameterAbout) bool {
		switch f.Key {
		case "Name": // with its slash or without
			return among(p.Name) || option != "Contains" && among("/"+p.Name) || among(vault.ParameterPath(p.Name))
		case "Type":
			return among(string(p.Type))
		case "KeyId":
			return among(p.KeyID)
		case "Tier":
			return among(string(p.Tier))
		case "DataType":
			return among(p.DataType)
		case "Label": // versions have none
			return false
		}
		return slices.ContainsFunc(p.Tags, func(t vault.Tag) bool { return t.Key == key && (len(f.Values) == 0 || among(t.Value)) })
	}, nil
}

// paths returns what is below one of paths.
func paths(option string, paths []string) (func(vault.ParameterAbout) bool, error) {
	if option != "" && option != "OneLevel" && option != "Recursive" {
		return nil, fault.Because(vault.BadFilterOption, fault.Invalid, "The filter option %s is not valid for the key Path: use OneLevel or Recursive", option)
	}
	for _, path := range paths {
		if !strings.HasPrefix(path, "/") {
			return nil, fault.Because(vault.BadFilterValue, fault.Invalid, "The path %s must begin with a slash", path)
		}
	}
	return func(p vault.ParameterAbout) bool {
		return slices.ContainsFunc(paths, func(path string) bool {
			rest, below := strings.CutPrefix(p.Name, strings.TrimSuffix(path, "/")+"/")
			return below && (option == "Recursive" || !strings.Contains(rest, "/"))
		})
	}, nil
}
