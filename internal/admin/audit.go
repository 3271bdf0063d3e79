package admin

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"reflect"
	"strings"
	"time"

	"portico/internal/store"
)

// Acts is where it is kept what operators did. *store.Store is one.
type Acts interface {
	KeepAct(ctx context.Context, a store.Act) error
	Acts(ctx context.Context, p store.Past) (acts []store.Act, next string, err error)
}

// An Act is what an operator did.
type Act struct {
	At      time.Time `json:"at"`
	Who     string    `json:"who" doc:"token, or session and its id."`
	Address string    `json:"address,omitzero" doc:"Absent: a command on this machine while no gateway ran."`
	What    string    `json:"what" doc:"The operation's id, such as add-key."`
	Whom    string    `json:"whom,omitzero" doc:"What it was done to."`
}

// A sender is who sent a request, as its handler may know.
type sender struct {
	Operator
	addr              netip.Addr
	host, agent, path string
	whom              string // for the audit log, where the input does not name it
	looked            bool   // nothing was done, so the audit log needs no word of it
}

type senderKey struct{}

func withSender(r *http.Request, s *sender) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), senderKey{}, s))
}

// senderOf is the sender of the request that ctx is of; a handler may say more
// about it, as who somebody has turned out to be.
func senderOf(ctx context.Context) *sender {
	if s, ok := ctx.Value(senderKey{}).(*sender); ok {
		return s
	}
	return &sender{}
}

// audit keeps that op was done with in. What was done is done; that it could
// not be kept is told in the log.
func (a *api) audit(ctx context.Context, op *operation, in any) {
	if a.o.Acts == nil || op.method == http.MethodGet || op.quiet {
		return
	}
	s := senderOf(ctx)
	if s.looked {
		return
	}
	act := store.Act{At: time.Now().UTC(), Who: s.Who, What: op.id, Whom: cmp.Or(s.whom, whom(in))}
	if s.addr.IsValid() {
		act.Peer = s.addr.String()
	}
	if err := a.o.Acts.KeepAct(context.WithoutCancel(ctx), act); err != nil {
		a.o.Log.Error("what an operator did could not be kept", "what", act.What, "whom", act.Whom, "error", err)
	}
}

// whom is the name of what in, a request's input, is about: what stands in the
// path, or in the body under one of the members that name things. Nothing else
// of a body is looked at, since it may be a secret.
func whom(in any) string {
	v := reflect.Indirect(reflect.ValueOf(in))
	for _, at := range [...]string{"Name", "ID", "Range"} {
		if f := v.FieldByName(at); f.Kind() == reflect.String {
			return f.String()
		}
	}
	if body := v.FieldByName("Body"); body.Kind() == reflect.Struct {
		return whom(body.Addr().Interface())
	}
	return ""
}

// many names several for the audit log: the first of them, and how many more.
func many(names []string) string {
	const most = 10
	text := strings.Join(names[:min(len(names), most)], ", ")
	if more := len(names) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func (a *api) acts() {
	if a.o.Acts == nil {
		return
	}
	handle(a, operation{
		id: "list-acts", method: http.MethodGet, path: "/api/audit", tag: "access", summary: "What operators did, newest first",
		more: "The latest 10,000 are kept.",
	}, func(ctx context.Context, in *struct {
		Since   time.Time `query:"since" doc:"At or after."`
		Until   time.Time `query:"until" doc:"Before."`
		Address string    `query:"address" maxLength:"64"`
		What    string    `query:"what" maxLength:"64"`
		Limit   int       `query:"limit" minimum:"1" maximum:"1000" default:"50"`
		Cursor  string    `query:"cursor" maxLength:"32"`
	},
	) (*out[List[Act]], error) {
		acts, next, err := a.o.Acts.Acts(ctx, store.Past{Since: in.Since, Until: in.Until, Peer: in.Address, What: in.What, Limit: in.Limit, Cursor: in.Cursor})
		l := List[Act]{Items: make([]Act, len(acts)), Next: next}
		for i, x := range acts {
			l.Items[i] = Act{At: x.At, Who: x.Who, Address: x.Peer, What: x.What, Whom: x.Whom}
		}
		return &out[List[Act]]{l}, err
	})
}
