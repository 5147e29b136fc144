package awsjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
)

// decode reads a request's body; an empty one is an empty object. Failures
// name members but repeat nothing that was sent: it may be a secret.
func decode(body []byte, in any) *failure {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	err := json.Unmarshal(body, in)
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*json.SyntaxError](err); ok {
		return notJSON
	}
	e, ok := errors.AsType[*json.UnmarshalTypeError](err)
	switch {
	case !ok: // a type of ours did not like its value
		return wrongType
	case e.Field == "":
		return notObject
	}
	return &failure{name: wrongType.name, status: wrongType.status, message: "Member '" + e.Field + "' has a value that is not " + kindName(e.Type) + "."}
}

func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list"
	}
	return "an object"
}

// encode appends the JSON form of out to b; that of nil is an empty object.
func encode(b *bytes.Buffer, out any) error {
	start := b.Len()
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false) // AWS does not, and no browser reads this as HTML
	if err := e.Encode(out); err != nil {
		return err
	}
	b.Truncate(b.Len() - 1) // Encode ends with a newline
	if string(b.Bytes()[start:]) == "null" {
		b.Truncate(start)
		b.WriteString("{}")
	}
	return nil
}
