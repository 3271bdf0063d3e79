package rig

import (
	"bytes"
	"context"
	"encoding/json/v2"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// A Row is a request as the ledger tells it, as far as it is checked.
type Row struct {
	ID       string    `json:"id"`
	Start    time.Time `json:"start"`
	Client   string    `json:"client"`
	Op       string    `json:"op"`
	Inbound  string    `json:"inbound"`
	Outbound string    `json:"outbound"`
	Stream   bool      `json:"stream"`
	Asked    string    `json:"asked"`
	Served   string    `json:"served"`
	Account  string    `json:"account"`
	Status   int       `json:"status"`
	Stop     string    `json:"stop"`
	Took     int64     `json:"took_ns"`
	BytesOut int64     `json:"bytes_out"`
	Usage    struct {
		Input      int64 `json:"input"`
		CacheRead  int64 `json:"cache_read"`
		CacheWrite int64 `json:"cache_write"`
		Output     int64 `json:"output"`
		Reasoning  int64 `json:"reasoning"`
	} `json:"usage"`
	Estimated bool      `json:"estimated"`
	Partial   bool      `json:"partial"`
	Attempts  []Attempt `json:"attempts"`
	Fault     string    `json:"fault"`
	Code      string    `json:"code"`
	Error     string    `json:"error"`
}

// An Attempt is a try at an account.
type Attempt struct {
	Account string `json:"account"`
	Status  int    `json:"status"`
	Fault   string `json:"fault"`
	Step    string `json:"step"`
}

// An Operator calls the admin API.
type Operator struct {
	Base, Token string
	HTTP        *http.Client
}

// maxAnswer bounds an answer of the API that is read.
const maxAnswer = 64 << 20

// Call calls the API; in and out may be nil. The status is 0 if no answer
// came.
func (o Operator) Call(ctx context.Context, method, path string, in, out any) (status int, err error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return 0, err
		}
		body = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, o.Base+path, body)
	if err != nil {
		return 0, err
	}
	r.Header.Set("Authorization", "Bearer "+o.Token)
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := o.HTTP.Do(r)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return 0, err
	}
	if resp.StatusCode >= 300 {
		return resp.StatusCode, fmt.Errorf("%s %s: HTTP %d: %s", method, path, resp.StatusCode, bytes.TrimSpace(b[:min(len(b), 500)]))
	}
	if out == nil || len(b) == 0 {
		return resp.StatusCode, nil
	}
	return resp.StatusCode, json.Unmarshal(b, out)
}

// Ledger reads all requests that began at or after since.
func (o Operator) Ledger(ctx context.Context, since time.Time) ([]Row, error) {
	var rows []Row
	cursor := ""
	for {
		q := url.Values{"limit": {"500"}}
		if !since.IsZero() {
			q.Set("since", since.UTC().Format(time.RFC3339Nano))
		}
		if cursor != "" {
			q.Set("cursor", cursor)
		}
		var page struct {
			Items []Row  `json:"items"`
			Next  string `json:"next"`
		}
		if _, err := o.Call(ctx, http.MethodGet, "/api/requests?"+q.Encode(), nil, &page); err != nil {
			return nil, err
		}
		rows = append(rows, page.Items...)
		if page.Next == "" {
			return rows, nil
		}
		cursor = page.Next
	}
}
