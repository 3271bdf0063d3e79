package clouds

import (
	"encoding/json/v2"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"portico/internal/provider/oauth/oauthtest"
	"portico/internal/rig"
)

const expressKey = "AIzaClouds-4Hn8Qw2Lx6Rt9Kz3"

// vertex plays Google's Vertex AI for one project. It takes tokens that issuer
// has given, and for Google's own models the key of the express mode.
func vertex(t *testing.T, issuer *oauthtest.Server) *cloud {
	refuse := func(w http.ResponseWriter, status int, kind, message string) {
		reply(w, status, fmt.Sprintf(`{"error":{"code":%d,"message":%q,"status":%q}}`, status, message, kind))
	}
	return serve(t, func(w http.ResponseWriter, c call) {
		rest, express := strings.CutPrefix(c.path, "/v1/publishers/google/models/")
		publisher := "google"
		if !express {
			below, ok := strings.CutPrefix(c.path, "/v1/projects/test-project/locations/europe-west4/publishers/")
			if !ok {
				refuse(w, 404, "NOT_FOUND", "no such place: "+c.path)
				return
			}
			publisher, rest, _ = strings.Cut(below, "/models/")
		}
		authorised := issuer.Valid(c.head.Get("Authorization"))
		if express {
			authorised = c.head.Get("X-Goog-Api-Key") == expressKey && c.head.Get("Authorization") == ""
		}
		if !authorised {
			refuse(w, 401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
			return
		}
		s := rig.ParseScript(c.body)
		switch s.Fault {
		case "429":
			refuse(w, 429, "RESOURCE_EXHAUSTED", "Quota exceeded for aiplatform.googleapis.com/online_prediction_requests_per_base_model with base model: x.")
			return
		case "403":
			refuse(w, 403, "PERMISSION_DENIED", "Permission 'aiplatform.endpoints.predict' denied")
			return
		}
		model, method, _ := strings.Cut(rest, ":")
		var in map[string]any
		if json.Unmarshal([]byte(c.body), &in) != nil || publisher == "anthropic" && in["anthropic_version"] != "vertex-2023-10-16" || c.head.Get("Anthropic-Version") != "" {
			refuse(w, 400, "INVALID_ARGUMENT", "Request contains an invalid argument: "+c.body)
			return
		}
		switch at := publisher + " " + method; {
		case at == "google generateContent", at == "google streamGenerateContent" && c.query == "alt=sse":
			speak(t, w, "/v1beta/models/"+rest+"?"+c.query, c.body)
		case at == "google countTokens" && in["contents"] != nil:
			reply(w, 200, fmt.Sprintf(`{"totalTokens":%d,"totalBillableCharacters":1}`, s.In))
		case at == "anthropic rawPredict" && model == "count-tokens" && in["model"] != nil:
			reply(w, 200, fmt.Sprintf(`{"input_tokens":%d}`, s.In))
		case in["model"] == nil && (at == "anthropic rawPredict" && in["stream"] != true || at == "anthropic streamRawPredict" && in["stream"] == true):
			speak(t, w, "/v1/messages", c.body)
		default:
			refuse(w, 404, "NOT_FOUND", "Publisher Model `"+c.path+"` was not found or your project does not have access to it.")
		}
	})
}

// application is what Google's own tool writes of a user's login, with the
// token's address moved to the test's issuer.
func application(issuer *oauthtest.Server) string {
	return fmt.Sprintf("{\n  \"account\": \"\",\n  \"client_id\": %q,\n  \"client_secret\": %q,\n  \"quota_project_id\": \"test-project\",\n  \"refresh_token\": %q,\n  \"token_uri\": %q,\n  \"type\": \"authorized_user\"\n}\n",
		oauthtest.ClientID, oauthtest.ClientSecret, issuer.Login("api"), issuer.URL+"/token")
}

// TestVertex: Gemini and Claude at Vertex AI serve clients of every protocol, by
// a service account, by a user's login and with a key, and errors are told.
func TestVertex(t *testing.T) {
	t.Parallel()
	issuer := oauthtest.New(t)
	x := vertex(t, issuer)
	account := func(name, key, models, options string) string {
		return fmt.Sprintf("  - {name: %s, provider: vertex, base_url: %q, api_key: %q, models: [%s], options: {%s}}\n", name, x.URL, key, models, options)
	}
	h := begin(t, "accounts:\n"+
		account("robot", issuer.ServiceAccount(t, "robot@test.example"), "gemini-robot, claude-robot", "location: europe-west4")+
		account("owner", application(issuer), "gemini-owner, claude-owner", "location: europe-west4")+
		account("express", expressKey, "gemini-express", ""))
	n := int64(0)
	for _, model := range []string{"gemini-robot", "claude-robot", "gemini-owner", "claude-owner", "gemini-express"} {
		family, account, _ := strings.Cut(model, "-")
		for _, protocol := range rig.Protocols {
			for _, stream := range []bool{false, true} {
				n++
				s := rig.Script{N: n, In: 31, Cached: 7, Out: 20, Chunks: 3}
				if family == "gemini" {
					s.Think = 4
				}
				name := fmt.Sprintf("%s, %s, stream %t", model, protocol, stream)
				whole(t, name, protocol, h.ask(protocol, model, stream, s), s)
				c := x.last(t)
				if want := map[string]string{"gemini": "/publishers/google/models/" + model, "claude": "/publishers/anthropic/models/" + model}[family]; !strings.Contains(c.path, want+":") {
					t.Errorf("%s: asked at %s", name, c.path)
				}
				if want := map[string]string{"owner": "test-project"}[account]; c.head.Get("X-Goog-User-Project") != want {
					t.Errorf("%s: %q is charged, want %q", name, c.head.Get("X-Goog-User-Project"), want)
				}
				if !stream {
					continue
				}
				s.Fault, s.Chunks = rig.Error, 9 // after the first words
				if got := h.ask(protocol, model, stream, s); got.Whole || got.Told == "" || got.Text == "" {
					t.Errorf("%s: an error in the stream comes as %+v", name, got)
				}
				h.heal(account)
			}
		}
		// What concerns the account is not the client's fault, and is told as the
		// lack of an account.
		for fault, want := range map[string]string{"429": "429", "403": "503 aiplatform.endpoints.predict"} {
			status, text, _ := strings.Cut(want, " ")
			if got := h.ask(rig.Chat, model, false, rig.Script{N: 1, Fault: fault}); strconv.Itoa(got.Status) != status || !strings.Contains(got.Told, text) {
				t.Errorf("%s: %s comes as %d %s", model, fault, got.Status, got.Told)
			}
			h.heal(account)
		}
		s := rig.Script{N: 1, In: 4321}
		path, body := "/v1beta/models/"+model+":countTokens", fmt.Sprintf(`{"contents":[{"parts":[{"text":%q}]}]}`, s.String())
		if family == "claude" {
			path, body = "/v1/messages/count_tokens", fmt.Sprintf(`{"model":%q,"messages":[{"role":"user","content":%q}]}`, model, s.String())
		}
		if status, got := h.post(path, body); status != 200 || !strings.Contains(got, "4321") {
			t.Errorf("%s: a count: %d %s", model, status, got)
		}
		out, err := h.run("account", "test", account)
		if err != nil || !strings.Contains(out, "It works") {
			t.Errorf("account test %s: %v, %s", account, err, out)
		}
	}
	if list := h.get("/v1/models"); !strings.Contains(list, "claude-robot") || !strings.Contains(list, "gemini-express") {
		t.Errorf("the list of models: %s", list)
	}
	if robots, owners := issuer.Granted("urn:ietf:params:oauth:grant-type:jwt-bearer"), issuer.Granted("refresh_token"); robots != 1 || owners != 1 {
		t.Errorf("tokens were asked for %d and %d times, want once each", robots, owners)
	}
}

// TestVertexTokens: a token that the cloud calls ended is renewed once, and a
// service account that was deleted is shown to need a login.
func TestVertexTokens(t *testing.T) {
	t.Parallel()
	issuer := oauthtest.New(t)
	x := vertex(t, issuer)
	h := begin(t, fmt.Sprintf("accounts:\n  - {name: robot, provider: vertex, base_url: %q, api_key: %q, models: [gemini-robot], options: {location: europe-west4}}\n",
		x.URL, issuer.ServiceAccount(t, "robot@test.example")))
	s := rig.Script{N: 1, In: 31, Out: 20}
	whole(t, "the first token", rig.Gemini, h.ask(rig.Gemini, "gemini-robot", false, s), s)
	issuer.Expire()
	whole(t, "a token that has ended", rig.Gemini, h.ask(rig.Gemini, "gemini-robot", false, s), s)
	issuer.Expire()
	issuer.Dismiss("robot@test.example")
	if got := h.ask(rig.Gemini, "gemini-robot", false, s); got.Status == 200 || got.Told == "" {
		t.Errorf("a service account that is no more: %d %s", got.Status, got.Told)
	}
	var a struct {
		State string `json:"state"`
	}
	if _, err := h.operator.Call(t.Context(), http.MethodGet, "/api/accounts/robot", nil, &a); err != nil {
		t.Fatal(err)
	}
	if a.State != "needs_login" {
		t.Errorf("the account is %s", a.State)
	}
}
