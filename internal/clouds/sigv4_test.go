package clouds

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// An accessKey is what Amazon knows of an access key.
type accessKey struct{ id, secret, token string }

// signed checks the signature of a request as Amazon's documentation has it
// (Signature Version 4, "Create a signed AWS API request"), from what was on the
// wire alone. why is "" if it holds.
func (k accessKey) signed(c call, region, service string, now time.Time) (why string) {
	rest, ok := strings.CutPrefix(c.head.Get("Authorization"), "AWS4-HMAC-SHA256 ")
	if !ok {
		return "there is no signature"
	}
	part := map[string]string{}
	for p := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		part[name] = value
	}
	at, err := time.Parse("20060102T150405Z", c.head.Get("X-Amz-Date"))
	if err != nil || now.Sub(at).Abs() > 5*time.Minute {
		return "the date is wrong"
	}
	scope := strings.Join([]string{at.Format("20060102"), region, service, "aws4_request"}, "/")
	if part["Credential"] != k.id+"/"+scope {
		return "the credential is " + part["Credential"]
	}
	if c.head.Get("X-Amz-Security-Token") != k.token {
		return "the token of the session is another"
	}
	names := strings.Split(part["SignedHeaders"], ";")
	must := []string{"host", "x-amz-date"}
	for name := range c.head {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-amz-") || name == "content-type" {
			must = append(must, name)
		}
	}
	for _, name := range must {
		if !slices.Contains(names, name) {
			return name + " is not signed"
		}
	}
	if !slices.IsSorted(names) {
		return "the signed headers are not in order"
	}
	canonical := c.method + "\n" + canonicalPath(c.path) + "\n" + canonicalQuery(c.query) + "\n"
	for _, name := range names {
		canonical += name + ":" + strings.Join(strings.Fields(strings.Join(c.head.Values(name), ",")), " ") + "\n"
	}
	canonical += "\n" + part["SignedHeaders"] + "\n" + digest(c.body)
	toSign := "AWS4-HMAC-SHA256\n" + c.head.Get("X-Amz-Date") + "\n" + scope + "\n" + digest(canonical)
	key := []byte("AWS4" + k.secret)
	for _, p := range []string{at.Format("20060102"), region, service, "aws4_request", toSign} {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(p))
		key = h.Sum(nil)
	}
	if part["Signature"] != hex.EncodeToString(key) {
		return "the signature is another"
	}
	return ""
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// canonicalPath escapes each segment of a path as it is on the wire once more,
// which all services but S3 want.
func canonicalPath(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		segments[i] = escaped(s)
	}
	return strings.Join(segments, "/")
}

// escaped is s with all but the unreserved letters of RFC 3986 as %XY.
func escaped(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func canonicalQuery(query string) string {
	if query == "" {
		return ""
	}
	var pairs []string
	for p := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(p, "=")
		name, _ = url.QueryUnescape(name)
		value, _ = url.QueryUnescape(value)
		pairs = append(pairs, escaped(name)+"="+escaped(value))
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

// TestSigned: the check itself agrees with the example that Amazon publishes in
// its suite of tests (get-vanilla-query-order-key-case), and sees a change.
func TestSigned(t *testing.T) {
	k := accessKey{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""}
	c := call{method: "GET", path: "/", query: "Param2=value2&Param1=value1", head: map[string][]string{
		"Host": {"example.amazonaws.com"}, "X-Amz-Date": {"20150830T123600Z"},
		"Authorization": {"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
	}}
	now := time.Date(2015, 8, 30, 12, 37, 0, 0, time.UTC)
	if why := k.signed(c, "us-east-1", "service", now); why != "" {
		t.Error(why)
	}
	c.body = "x"
	if why := k.signed(c, "us-east-1", "service", now); why == "" {
		t.Error("another body has the same signature")
	}
}
