package awsjson

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"time"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/secret"
	"slipway/internal/sigv4"
)

// maxAnswer bounds what a Client reads of an answer.
const maxAnswer = 64 << 20

// A Client calls the operations of a server. Several goroutines may use it.
type Client struct {
	Endpoint string           // such as http://127.0.0.1:4680
	Key      accesskey.Key    // signs the calls; a Key without an id leaves them unsigned
	Region   string           // such as us-east-1
	HTTP     *http.Client     // nil means http.DefaultClient; a unix socket is a Transport of it
	Now      func() time.Time // nil means time.Now
}

// Error is a failure that the server answered.
type Error struct {
	Name      string // such as ResourceNotFoundException; "" if the answer was not from a server of this kind
	Message   string
	Status    int
	RequestID string
}

func (e *Error) Error() string {
	switch {
	case e.Name == "":
		return fmt.Sprintf("unexpected answer with status %d", e.Status)
	case e.Message == "":
		return e.Name
	}
	return e.Name + ": " + e.Message
}

// Call calls an operation of a service with input in and stores the answer in
// out, a pointer to the operation's output; nil drops it. Secrets in the first
// level of in are sent as they are. What the server refuses is an *Error.
func (c *Client) Call(ctx context.Context, service *api.Definition, operation string, in, out any) error {
	body, err := reveal(in)
	if err != nil {
		return fmt.Errorf("encode %s: %w", operation, err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(c.Endpoint, "/")+"/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", service.TargetPrefix+"."+operation)
	if c.Key.ID != "" {
		now := c.Now
		if now == nil {
			now = time.Now
		}
		sigv4.Sign(r, body, c.Key, c.Region, service.Name, now())
	}
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	answer, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("call %s: %w", operation, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("read the answer of %s: %w", operation, err)
	}
	if answer.StatusCode != http.StatusOK {
		return failureOf(answer, text)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("read the answer of %s: %w", operation, err)
	}
	return nil
}

func failureOf(answer *http.Response, text []byte) *Error {
	var body struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}
	_ = json.Unmarshal(text, &body) // a proxy's page is an Error without a name
	name := body.Type[strings.LastIndexByte(body.Type, '#')+1:]
	return &Error{Name: name, Message: body.Message, Status: answer.StatusCode, RequestID: answer.Header.Get("X-Amzn-Requestid")}
}

// reveal encodes in with its secrets in the clear, which their own encoding
// never shows.
func reveal(in any) ([]byte, error) {
	if in == nil {
		return []byte("{}"), nil
	}
	text, err := json.Marshal(in)
	v := reflect.Indirect(reflect.ValueOf(in))
	if err != nil || v.Kind() != reflect.Struct {
		return text, err
	}
	secrets := map[string]string{}
	for i := range v.NumField() {
		if t, ok := v.Field(i).Interface().(secret.Text); ok && !t.IsZero() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			secrets[name] = t.Reveal()
		}
	}
	if len(secrets) == 0 {
		return text, nil
	}
	var members map[string]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&members); err != nil {
		return nil, err
	}
	for name, value := range secrets {
		members[name] = value
	}
	return json.Marshal(members)
}
