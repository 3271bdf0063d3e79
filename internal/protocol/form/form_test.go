package form

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const kind = `multipart/form-data; boundary=b`

func TestRead(t *testing.T) {
	body := "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n" +
		"--b \t\r\ncontent-type: image/png; x=y\r\nX-Other: z\r\nCONTENT-DISPOSITION: form-data; name=\"image[]\"; filename=\"C:\\\\dir\\\\a.png\"\r\n\r\n\x89PNG\r\n--bx\r\n--b-\r\n\r\n" +
		"--b\r\nContent-Disposition: form-data; name=empty\r\n\r\n\r\n" +
		"--b\r\n\r\nnameless\r\n--b--\r\nwhat follows"
	got, err := Read(kind, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	want := []Field{
		{Name: "model", Value: []byte("m")},
		{Name: "image[]", File: "a.png", Type: "image/png", Value: []byte("\x89PNG\r\n--bx\r\n--b-\r\n")},
		{Name: "empty", Value: []byte("")},
		{Value: []byte("nameless")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !got[0].Plain() || got[0].Text() != "m" || got[1].Plain() || (&Field{Value: []byte("\xff")}).Plain() {
		t.Error("texts are not told from files")
	}
}

func TestReadRefuses(t *testing.T) {
	field := "--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n"
	for name, tt := range map[string]struct {
		kind, body string
		want       error
	}{
		"json":              {"application/json", "{}", errNoForm},
		"no boundary":       {"multipart/form-data", field + "--b--", errNoForm},
		"another multipart": {"multipart/mixed; boundary=b", field + "--b--", errNoForm},
		"long boundary":     {"multipart/form-data; boundary=" + strings.Repeat("b", 71), field, errNoForm},
		"nothing":           {kind, "", errBroken},
		"another boundary":  {kind, strings.ReplaceAll(field, "--b", "--c") + "--c--", errBroken},
		"cut in a value":    {kind, field[:len(field)-2], errBroken},
		"cut at the end":    {kind, field, errBroken},
		"cut in a head":     {kind, "--b\r\nContent-Disp", errBroken},
		"no head":           {kind, "--b\r\nwords\r\n\r\nx\r\n--b--", errBroken},
		"a long head":       {kind, "--b\r\nX: " + strings.Repeat("x", maxHead) + "\r\n\r\nx\r\n--b--", errBroken},
		"too many":          {kind, strings.Repeat(field, MaxFields+1) + "--b--", errFields},
	} {
		if _, err := Read(tt.kind, []byte(tt.body)); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	if fields, err := Read(kind, []byte(strings.Repeat(field, MaxFields)+"--b--")); err != nil || len(fields) != MaxFields {
		t.Errorf("%d fields, %v", len(fields), err)
	}
}

// FuzzRead: what is read is what the standard library reads, which the way in
// looks at a form with.
func FuzzRead(f *testing.F) {
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=a; filename=f\r\nContent-Type: a/b\r\n\r\nx\r\n--b--"))
	f.Add([]byte("before\r\n--b\r\n\r\n--b\r\n--b --\r\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		fields, err := Read(kind, body)
		if err != nil {
			return
		}
		r := multipart.NewReader(bytes.NewReader(body), "b")
		for i := 0; ; i++ {
			p, err := r.NextRawPart()
			if errors.Is(err, io.EOF) && i == len(fields) {
				return
			}
			if err != nil || i == len(fields) {
				return // it reads less, as the way in does, which refuses the form
			}
			value, err := io.ReadAll(p)
			if err != nil {
				return
			}
			if p.FormName() != fields[i].Name || (p.FileName() == "") != (fields[i].File == "") || !bytes.Equal(value, fields[i].Value) {
				t.Fatalf("field %d: %q %q %q, want %q %q %q", i, fields[i].Name, fields[i].File, fields[i].Value, p.FormName(), p.FileName(), value)
			}
		}
	})
}
