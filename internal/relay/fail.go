package relay

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"

	"portico/internal/egress"
	"portico/internal/fault"
	"portico/internal/protocol"
)

// crash is what a client is told of a defect of the gateway.
var crash = fault.New(fault.Internal, "the gateway failed; its log says more")

const loopCode = "loop_detected"

// looped is the refusal of a request that goes in a circle.
func looped() *fault.Fault {
	f := fault.New(fault.Unsupported, "this request has been here before, or has passed %d gateways: an account of this gateway leads back to it", maxHops)
	f.Code = loopCode
	return f
}

// refusalOf is err as a fault that the client is told.
func refusalOf(err error) *fault.Fault {
	if f, ok := errors.AsType[*fault.Fault](err); ok {
		return f
	}
	return &fault.Fault{Class: fault.Malformed, Msg: err.Error(), Err: err}
}

// gone is why the call is over before its answer is: the client left, its time
// is up, or the gateway shuts down.
func (a *answer) gone() *fault.Fault {
	cause := context.Cause(a.ctx)
	if f, ok := errors.AsType[*fault.Fault](cause); ok {
		return f
	}
	if errors.Is(cause, context.DeadlineExceeded) {
		return &fault.Fault{Class: fault.Timeout, Msg: "the time for this request is up"}
	}
	return closed(cause)
}

// closed is the fault of a client that left or takes nothing any more. It
// blames nobody.
func closed(err error) *fault.Fault {
	return &fault.Fault{Class: fault.Canceled, Msg: "the client closed the connection", Err: err}
}

// broken is the fault of an upstream whose answer is none.
func (a *answer) broken(phase fault.Phase, format string, args ...any) *fault.Fault {
	return &fault.Fault{
		Class: fault.Broken, Scope: fault.Account, Phase: phase, Status: a.try.status,
		Msg: "the upstream's answer is of no use: " + a.clean(fmt.Sprintf(format, args...)),
	}
}

// cut is the fault of an attempt that err ended, an error of the transport or
// of an answer's body.
func (a *answer) cut(ctx context.Context, err error, phase fault.Phase) *fault.Fault {
	if a.ctx.Err() != nil {
		return a.gone()
	}
	f := &fault.Fault{Class: fault.Network, Scope: fault.Endpoint, Phase: phase, Status: a.try.status, Err: err}
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errGone):
		return closed(err)
	case errors.Is(cause, errFirstByte), errors.Is(cause, errIdle):
		f.Class, f.Scope, f.Msg, f.Err = fault.Timeout, fault.Model, cause.Error(), nil
		return f
	case phase > fault.Sent:
		f.Msg = "the upstream's answer was cut: " + a.clean(err.Error())
		return f
	case unsent(err):
		f.Phase = fault.Dialing
	}
	f.Msg = "the upstream could not be reached: " + a.clean(err.Error())
	if egress.IsTimeout(err) {
		f.Class = fault.Timeout
	}
	return f
}

// unsent reports whether err happened before a request can have been sent: no
// connection came about, or its certificate was refused.
func unsent(err error) bool {
	if egress.IsDial(err) {
		return true
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}
	_, ok := errors.AsType[x509.UnknownAuthorityError](err)
	return ok
}

// judge is the fault of an error that came inside an answer with a 2xx status.
func (a *answer) judge(s *fault.Sign, phase fault.Phase) *fault.Fault {
	sign := *s
	for _, text := range []*string{&sign.Type, &sign.Code, &sign.Param, &sign.Message, &sign.Details, &sign.Link} {
		*text = a.clean(*text)
	}
	sign.Phase = phase
	f := a.try.lease.Account.By.Rules().Judge(sign, a.r.now())
	if f.Class == fault.Unknown {
		f.Class, f.Scope = fault.Broken, fault.Account
	}
	return f
}

// refused reads an answer that is none of success, and judges it.
func (a *answer) refused(ctx context.Context, resp *http.Response) *fault.Fault {
	body, err := a.read(nil, resp.Body, resp.ContentLength, maxError)
	if a.ctx.Err() != nil {
		return a.gone()
	}
	status := resp.StatusCode
	if status < 400 {
		// A redirect would take the credential elsewhere, and 101 is asked for
		// by nobody.
		return a.broken(fault.Answered, "it answered with status %d, which leads elsewhere; is the account's base URL right?", status)
	}
	if status == http.StatusLoopDetected {
		return looped() // a gateway further on knows it; another try would go round once more
	}
	readable := !encoded(resp.Header)
	if !readable {
		body = nil
	}
	body = redact(body, a.key())
	sign := a.form.codec.DecodeError(status, body)
	sign.Status, sign.Header, sign.Phase = status, resp.Header, fault.Answered
	f := a.try.lease.Account.By.Rules().Judge(sign, a.r.now())
	f.Code = a.clean(f.Code)
	a.narrow(f)
	if f = a.renew(ctx, f); a.stay != "" {
		return f
	}
	if readable && err == nil && a.form.make == nil && printable(body, mediaType(resp.Header)) {
		h := make(http.Header, 8)
		a.returning(h, resp.Header)
		a.reply = reply{f, status, h, body}
	}
	return f
}

// narrow keeps a refusal from being laid at an account's door which is about
// what was asked for.
func (a *answer) narrow(f *fault.Fault) {
	switch {
	case missing(f) && (a.c.Op == protocol.Count || a.x.Served == ""):
		f.Scope = fault.Request // the endpoint or the object, not the model
	case a.c.Op == protocol.Other && f.Class == fault.Broken && f.Status == http.StatusConflict:
		f.Class = fault.BadRequest
	}
}

// missing reports whether an upstream refused because it does not have what
// was asked for.
func missing(f *fault.Fault) bool {
	return f.Status == http.StatusNotFound || f.Status == http.StatusMethodNotAllowed || f.Status == http.StatusNotImplemented
}

// unsure reports whether it is unknown what an attempt did, at an operation
// that may not be done twice: what makes a file, a batch or a response.
func (a *answer) unsure(f *fault.Fault) bool {
	return a.c.Op == protocol.Other && a.c.Method == http.MethodPost && f.Phase != fault.Dialing &&
		(f.Class == fault.Network || f.Class == fault.Timeout && f.Status == 0)
}
