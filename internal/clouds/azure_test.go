package clouds

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"portico/internal/rig"
)

const (
	azureKey   = "azk-clouds-7Rm2Kx9Wq4Tn"
	entraToken = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.clouds.token"
)

// azure plays a resource of Azure OpenAI's that has the deployment prod-4o and no
// other. It takes its key in the header of that name and a token of Entra's as a
// bearer, and neither in the other's place.
func azure(t *testing.T, issuer *entra) *cloud {
	refuse := func(w http.ResponseWriter, status int, code, message string) {
		w.Header().Set("Apim-Request-Id", "azure-1")
		reply(w, status, fmt.Sprintf(`{"error":{"code":%q,"message":%q}}`, code, message))
	}
	return serve(t, func(w http.ResponseWriter, c call) {
		key, bearer := c.head.Get("Api-Key"), c.head.Get("Authorization")
		if key != azureKey && bearer != "Bearer "+entraToken && !issuer.valid(bearer) || key != "" && bearer != "" {
			refuse(w, 401, "401", "Access denied due to invalid subscription key or wrong API endpoint.")
			return
		}
		s := rig.ParseScript(c.body)
		switch s.Fault {
		case "filter":
			reply(w, 400, `{"error":{"message":"The response was filtered","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{"hate":{"filtered":true,"severity":"high"}}}}}`)
			return
		case "429":
			w.Header().Set("Retry-After-Ms", "4000")
			refuse(w, 429, "429", "Requests have exceeded the call rate limit of your current OpenAI S0 pricing tier.")
			return
		}
		path, deployment := "", ""
		if rest, ok := strings.CutPrefix(c.path, "/openai/v1/"); ok {
			path, deployment = rest, "prod-4o"
			if c.method == http.MethodPost && !strings.Contains(c.body, `"model":"prod-4o"`) {
				refuse(w, 404, "DeploymentNotFound", "The API deployment for this resource does not exist.")
				return
			}
		} else if rest, ok := strings.CutPrefix(c.path, "/openai/deployments/"); ok {
			deployment, path, _ = strings.Cut(rest, "/")
		} else if c.path == "/openai/models" {
			path, deployment = "models", "prod-4o"
		}
		switch classic := !strings.HasPrefix(c.path, "/openai/v1/"); {
		case deployment != "prod-4o" || path == "":
			refuse(w, 404, "DeploymentNotFound", "The API deployment for this resource does not exist.")
		case classic && c.query != "api-version=2024-10-21":
			refuse(w, 404, "404", "Resource not found")
		case path == "models":
			reply(w, 200, `{"object":"list","data":[{"id":"gpt-4o-2024-08-06","object":"model","status":"succeeded"},{"id":"dall-e-3","object":"model"}]}`)
		case path == "chat/completions" || path == "responses" && !classic:
			speak(t, w, "/v1/"+path, c.body)
		default:
			refuse(w, 404, "404", "Resource not found")
		}
	})
}

const entraSecret = "prog~clouds.Secret_4Wn8Kz2Lq"

// entra plays Microsoft's Entra ID for one tenant with one program.
type entra struct {
	*cloud
	mu     sync.Mutex
	tokens []string // the last one is valid
	count  int
}

func newEntra(t *testing.T) *entra {
	e := &entra{}
	e.cloud = serve(t, func(w http.ResponseWriter, c call) {
		form, err := url.ParseQuery(c.body)
		switch {
		case err != nil || c.path != "/tenant-1/oauth2/v2.0/token" || form.Get("grant_type") != "client_credentials" || form.Get("scope") != "https://cognitiveservices.azure.com/.default":
			reply(w, 400, `{"error":"invalid_request","error_description":"AADSTS900144: the request body is wrong"}`)
		case form.Get("client_id") != "app-1" || form.Get("client_secret") != entraSecret:
			reply(w, 401, `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided."}`)
		default:
			reply(w, 200, fmt.Sprintf(`{"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":%q}`, e.give()))
		}
	})
	return e
}

func (e *entra) give() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.count++
	e.tokens = append(e.tokens, fmt.Sprintf("eyJ0.program.%d", e.count))
	return e.tokens[len(e.tokens)-1]
}

func (e *entra) valid(bearer string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.tokens) > 0 && bearer == "Bearer "+e.tokens[len(e.tokens)-1]
}

func (e *entra) expire() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tokens = nil
}

func (e *entra) given() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.count
}

// program is what Microsoft's own tool writes, with the address moved here.
func (e *entra) program(secret string) string {
	return fmt.Sprintf("{\n  \"appId\": \"app-1\",\n  \"displayName\": \"portico\",\n  \"password\": %q,\n  \"tenant\": \"tenant-1\",\n  \"token_uri\": %q\n}\n", secret, e.URL+"/tenant-1/oauth2/v2.0/token")
}

// TestAzure: both surfaces of Azure OpenAI serve clients of every protocol, with
// a key and with a token, and its errors are told.
func TestAzure(t *testing.T) {
	t.Parallel()
	issuer := newEntra(t)
	x := azure(t, issuer)
	account := func(name, key, options string) string {
		return fmt.Sprintf("  - {name: %s, provider: azure, base_url: %q, api_key: %q, models: [%s-4o], options: {deployments: %s-4o=prod-4o%s}}\n", name, x.URL, key, name, name, options)
	}
	h := begin(t, "accounts:\n"+account("newer", azureKey, "")+account("older", azureKey, ", api_version: 2024-10-21")+
		account("token", entraToken, ", auth: bearer")+account("wrong", "azk-clouds-wrong", "")+account("program", issuer.program(entraSecret), "")+account("ended", issuer.program("another"), "")+
		fmt.Sprintf("  - {name: lost, provider: azure, base_url: %q, api_key: %q, models: [lost-4o]}\n", x.URL, azureKey))
	n := int64(0)
	for _, account := range []string{"newer", "older", "token", "program"} {
		for _, protocol := range rig.Protocols {
			for _, stream := range []bool{false, true} {
				n++
				s := rig.Script{N: n, In: 31, Cached: 7, Out: 20, Think: 4, Chunks: 3}
				name := fmt.Sprintf("%s, %s, stream %t", account, protocol, stream)
				whole(t, name, protocol, h.ask(protocol, account+"-4o", stream, s), s)
				want := "/openai/v1/chat/completions"
				switch {
				case account == "older":
					want = "/openai/deployments/prod-4o/chat/completions"
				case protocol != rig.Chat:
					want = "/openai/v1/responses"
				}
				if got := x.last(t).path; got != want {
					t.Errorf("%s: asked at %s, want %s", name, got, want)
				}
				s.Fault = "filter"
				if got := h.ask(protocol, account+"-4o", stream, s); got.Status != 400 || !strings.Contains(got.Told, "filtered") {
					t.Errorf("%s: refused content comes as %d %q, %v", name, got.Status, got.Told, got.Err)
				}
				if !stream {
					continue
				}
				s.Fault, s.Chunks = rig.Error, 9 // after the first words
				if got := h.ask(protocol, account+"-4o", stream, s); got.Whole || got.Told == "" || got.Text == "" {
					t.Errorf("%s: an error in the stream comes as %+v", name, got)
				}
				h.heal(account)
			}
		}
		got := h.ask(rig.Chat, account+"-4o", false, rig.Script{N: 1, Fault: "429"})
		if got.Status != 429 || got.Header.Get("Retry-After") == "" {
			t.Errorf("%s: a limit comes as %d %v", account, got.Status, got.Header)
		}
		h.heal(account)
	}
	for name, want := range map[string]string{"newer": "It works", "older": "It works", "token": "It works", "program": "It works", "ended": "not taken", "wrong": "Access denied", "lost": "does not exist"} {
		out, err := h.run("account", "test", name)
		if fails := name == "wrong" || name == "lost" || name == "ended"; (err != nil) != fails || !strings.Contains(out, want) {
			t.Errorf("account test %s: %v, %s", name, err, out)
		}
	}
	if n := issuer.given(); n != 1 {
		t.Errorf("the program got %d tokens, want one for all", n)
	}
	issuer.expire()
	s := rig.Script{N: 1, In: 31, Out: 20}
	whole(t, "a token that has ended", rig.Chat, h.ask(rig.Chat, "program-4o", false, s), s)
	list := h.get("/v1/models")
	if !strings.Contains(list, "newer-4o") || strings.Contains(list, "dall-e-3") {
		t.Errorf("the list of models: %s", list)
	}
}
