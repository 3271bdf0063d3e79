package admin

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"portico/internal/store"
)

// Backups make backups and restore them, one at a time. The errors are
// [Invalid] or [Busy].
type Backups interface {
	// Backup returns a file that was encrypted with passphrase, and read back.
	// Who gets it closes it.
	Backup(ctx context.Context, passphrase string, ledger bool) (io.ReadCloser, error)
	// Snapshots lists the copies of the database of accounts that Portico has
	// made by itself, newest first.
	Snapshots() ([]store.Snapshot, error)
	// Restore restores, or says what it would do. Nothing is changed before
	// all of the file was read and checked.
	Restore(ctx context.Context, in *RestoreAsk) (Restored, error)
}

// A RestoreAsk says what is restored: a File with its Passphrase, or a Snapshot
// by its name.
type RestoreAsk struct {
	File       io.Reader
	Passphrase string
	Snapshot   string
	Parts      map[string]bool // of RestoreParts
	Keep       bool            // what is there stays
	Preview    bool            // nothing is changed
}

// RestoreParts are what can be restored, each by itself.
var RestoreParts = []string{"accounts", "keys", "rules", "proxies", "config", "ledger"}

// Busy says that something has to wait for what is under way.
type Busy struct{ Err error }

func (b Busy) Error() string { return b.Err.Error() }

// A NewBackup says what is backed up.
type NewBackup struct {
	Passphrase string `json:"passphrase" maxLength:"1024" doc:"At least 12 letters. Without it nobody can read the backup."`
	Ledger     bool   `json:"ledger,omitzero" doc:"With the finished requests."`
	Proof
}

// A Snapshot is a copy of the database of accounts, which Portico made by
// itself. What is sealed in it stays sealed.
type Snapshot struct {
	Name  string    `json:"name"`
	Why   string    `json:"why" enum:"daily,schema,restore" doc:"Made once a day, before the schema was changed, or before a restore."`
	Made  time.Time `json:"made"`
	Bytes int64     `json:"bytes"`
}

// Restored is what a restore did, or would do.
type Restored struct {
	Made     time.Time       `json:"made,omitzero" doc:"When the backup was made."`
	Version  string          `json:"version,omitzero" doc:"Of the Portico that made it."`
	Preview  bool            `json:"preview" doc:"Nothing was changed."`
	Changes  []RestoreChange `json:"changes"`
	Ledger   bool            `json:"ledger" doc:"The backup has finished requests."`
	Requests int64           `json:"requests" doc:"How many of them were not in the ledger yet and now are."`
}

// A RestoreChange is what becomes of one thing.
type RestoreChange struct {
	Kind string `json:"kind" enum:"account,key,rule,proxy,config"`
	Name string `json:"name"`
	What string `json:"what" enum:"add,replace,same,keep" doc:"same: it is there as it was; keep: another one of the name is there and stays."`
}

func (a *api) backups() {
	if a.o.Backups == nil {
		return
	}
	op := huma.Operation{
		OperationID: "backup", Method: http.MethodPost, Path: "/api/backup", Tags: []string{"backup"}, Summary: "Back everything up into one encrypted file",
		Description: "It holds the accounts with their secrets, client keys as digests, rules on addresses, the pool of outbound proxies and the configuration, and is encrypted with the passphrase in the format of age. " +
			"A session has to show the password or the admin token in the body. It is audited.",
		MaxBodyBytes: maxBody, BodyReadTimeout: 30 * time.Second,
		Errors:    []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests, http.StatusServiceUnavailable},
		Responses: map[string]*huma.Response{"200": {Description: "The file", Content: map[string]*huma.MediaType{"application/octet-stream": {}}}},
	}
	huma.Register(a.huma, op, func(ctx context.Context, in *struct{ Body NewBackup }) (*huma.StreamResponse, error) {
		err := a.fresh(ctx, &in.Body.Proof)
		var file io.ReadCloser
		if err == nil {
			file, err = a.o.Backups.Backup(ctx, in.Body.Passphrase, in.Body.Ledger)
		}
		if err != nil {
			return nil, a.told(err)
		}
		a.audit(ctx, &operation{id: "backup", method: http.MethodPost}, in)
		return &huma.StreamResponse{Body: func(ctx huma.Context) {
			defer file.Close()
			_, w := humago.Unwrap(ctx)
			w.Header().Set("Content-Type", "application/octet-stream")
			w.Header().Set("Content-Disposition", `attachment; filename="portico-`+time.Now().UTC().Format("2006-01-02")+`.age"`)
			_, _ = io.Copy(w, file) // whoever has left finds a file that is cut off, and no restore takes it
		}}, nil
	})
	handle(a, operation{
		id: "list-snapshots", method: http.MethodGet, path: "/api/backups", tag: "backup", summary: "The copies of the database of accounts that were made by themselves",
		more: "One a day while there are changes (7 are kept), one before each change of the schema and before each restore (3 are kept).",
	}, func(context.Context, *struct{}) (*out[List[Snapshot]], error) {
		all, err := a.o.Backups.Snapshots()
		l := List[Snapshot]{Items: make([]Snapshot, len(all))}
		for i, s := range all {
			l.Items[i] = Snapshot(s)
		}
		return &out[List[Snapshot]]{l}, err
	})
	a.restore()
}

const (
	// maxField bounds what stands before the file in a restore, in bytes each.
	maxField  = 4 << 10
	maxFields = 8
)

// restore registers the one operation that takes a form: a file may be large,
// and is read as it comes.
func (a *api) restore() {
	const at = "/api/restore"
	text := func(doc string) *huma.Schema { return &huma.Schema{Type: huma.TypeString, Description: doc} }
	a.huma.OpenAPI().AddOperation(&huma.Operation{
		OperationID: "restore", Method: http.MethodPost, Path: at, Tags: []string{"backup"}, Summary: "Restore a backup, or see what that would do",
		Description: "What is missing is added, what has the same name is replaced, what the backup does not have stays. Nothing is changed before all of the file was read and checked, " +
			"and a snapshot is made before. A session has to show the password or the admin token. It is audited, unless it is a preview.",
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"multipart/form-data": {Schema: &huma.Schema{
			Type: huma.TypeObject,
			Properties: map[string]*huma.Schema{
				"preview": text("true: nothing is changed"), "keep": text("true: what is there stays"), "parts": text("with commas: " + strings.Join(RestoreParts, ", ") + "; absent: all but ledger"),
				"passphrase": text("of the file"), "password": text("the proof of a session"), "token": text("or the admin token"),
				"snapshot": text("the name of a snapshot, instead of a file"), "file": {Type: huma.TypeString, Format: "binary", Description: "the backup; the last part of the form"},
			},
		}}}},
		Responses: map[string]*huma.Response{
			"200": {Description: "What was done, or would be", Content: map[string]*huma.MediaType{"application/json": {Schema: a.schema(Restored{})}}},
			"401": a.refusals("Unauthorized"), "403": a.refusals("Forbidden"), "422": a.refusals("The file cannot be restored"), "429": a.refusals("Too Many Requests"),
		},
	})
	a.mux.HandleFunc("POST "+at, func(w http.ResponseWriter, r *http.Request) {
		done, err := a.serveRestore(r)
		if err = a.told(err); err != nil {
			p, ok := errors.AsType[*Problem](err)
			if !ok {
				p = problem(http.StatusInternalServerError, CodeInternal, "%s", err)
			}
			p.write(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = format.Marshal(w, done)
	})
}

func (a *api) serveRestore(r *http.Request) (out Restored, err error) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" {
		return out, problem(http.StatusUnsupportedMediaType, CodeMediaType, "send a form (multipart/form-data)")
	}
	form := multipart.NewReader(r.Body, params["boundary"])
	fields := map[string]string{}
	var file io.Reader
	for file == nil {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || len(fields) >= maxFields {
			return out, problem(http.StatusBadRequest, CodeMalformed, "the form cannot be read")
		}
		if part.FormName() == "file" {
			file = part
			continue
		}
		b, err := io.ReadAll(io.LimitReader(part, maxField+1))
		if err != nil || len(b) > maxField {
			return out, problem(http.StatusBadRequest, CodeMalformed, "the form cannot be read")
		}
		fields[part.FormName()] = string(b)
	}
	if err := a.fresh(r.Context(), &Proof{fields["password"], fields["token"]}); err != nil {
		return out, err
	}
	in, err := restoreAsk(fields, file)
	if err != nil {
		return out, err
	}
	if out, err = a.o.Backups.Restore(r.Context(), in); err == nil && !in.Preview {
		a.audit(r.Context(), &operation{id: "restore", method: http.MethodPost}, &struct{ Name string }{fields["snapshot"]})
	}
	return out, err
}

// restoreAsk reads the fields of a form.
func restoreAsk(fields map[string]string, file io.Reader) (*RestoreAsk, error) {
	in := &RestoreAsk{
		File: file, Passphrase: fields["passphrase"], Snapshot: fields["snapshot"], Keep: fields["keep"] == "true", Preview: fields["preview"] == "true",
		Parts: map[string]bool{"accounts": true, "keys": true, "rules": true, "proxies": true, "config": true},
	}
	if (file == nil) == (in.Snapshot == "") {
		return nil, problem(http.StatusUnprocessableEntity, CodeInvalid, "send a file or the name of a snapshot, one of the two")
	}
	if fields["parts"] == "" {
		return in, nil
	}
	clear(in.Parts)
	for p := range strings.SplitSeq(fields["parts"], ",") {
		if p = strings.TrimSpace(p); !slices.Contains(RestoreParts, p) {
			return nil, wrong("parts", "there are "+strings.Join(RestoreParts, ", "))
		}
		in.Parts[p] = true
	}
	return in, nil
}
