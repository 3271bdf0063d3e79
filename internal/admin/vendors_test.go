package admin

import (
	"net/http"
	"strings"
	"testing"
)

func TestVendors(t *testing.T) {
	o := newFake().options()
	if w := call(t, New(o), "GET", "/api/vendors", ""); w.Code != http.StatusNotFound {
		t.Errorf("where nobody says: %d", w.Code)
	}
	o.Vendors = func() []Vendor {
		return []Vendor{{Title: "OpenAI", Provider: "openai", BaseURL: "https://api.openai.com/v1"}, {Title: "Ollama", Provider: "ollama", Keyless: true}}
	}
	w := call(t, New(o), "GET", "/api/vendors", "")
	want := `{"items":[{"title":"OpenAI","provider":"openai","base_url":"https://api.openai.com/v1"},{"title":"Ollama","provider":"ollama","keyless":true}]}`
	if got := strings.TrimSpace(w.Body.String()); w.Code != http.StatusOK || got != want {
		t.Errorf("%d %s, want %s", w.Code, got, want)
	}
}
