package main

import (
	"encoding/json/v2"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// upstream answers the accounts of the gallery, each by its key: one says how
// much is left, one has to wait, one is refused.
func upstream(now func() time.Time) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ") + r.Header.Get("X-Api-Key") + r.Header.Get("X-Goog-Api-Key")
		h := w.Header()
		h.Set("Content-Type", "application/json")
		switch {
		case strings.HasSuffix(key, "-old"):
			w.WriteHeader(http.StatusUnauthorized)
			say(w, map[string]any{"error": map[string]any{"type": "invalid_request_error", "code": "invalid_api_key", "message": "Incorrect API key provided."}})
			return
		case strings.HasSuffix(key, "-limited"):
			h.Set("Retry-After", "2400")
			w.WriteHeader(http.StatusTooManyRequests)
			say(w, map[string]any{"type": "error", "error": map[string]any{"type": "rate_limit_error", "message": "This request would exceed your rate limit."}})
			return
		}
		if strings.Contains(key, "sk-ant") {
			windows(h, now(), len(key)%2 == 0)
		}
		if r.Method == http.MethodPost {
			time.Sleep(time.Duration(120+60*(len(key)%7)) * time.Millisecond) // nobody answers at once
		}
		switch {
		case strings.HasSuffix(r.URL.Path, "/models"):
			say(w, map[string]any{"object": "list", "data": modelsOf(key)})
		case strings.HasSuffix(r.URL.Path, "/messages"):
			say(w, map[string]any{
				"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5", "stop_reason": "end_turn",
				"content": []any{map[string]any{"type": "text", "text": "Good morning."}},
				"usage":   map[string]any{"input_tokens": 812, "output_tokens": 96, "cache_read_input_tokens": 6400, "cache_creation_input_tokens": 0},
			})
		case strings.Contains(r.URL.Path, ":generateContent"):
			say(w, map[string]any{
				"candidates":    []any{map[string]any{"content": map[string]any{"role": "model", "parts": []any{map[string]any{"text": "Good morning."}}}, "finishReason": "STOP"}},
				"usageMetadata": map[string]any{"promptTokenCount": 640, "candidatesTokenCount": 80, "totalTokenCount": 720},
			})
		default:
			say(w, map[string]any{
				"id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-5", "created": now().Unix(),
				"choices": []any{map[string]any{"index": 0, "finish_reason": "stop", "message": map[string]any{"role": "assistant", "content": "Good morning."}}},
				"usage":   map[string]any{"prompt_tokens": 512, "completion_tokens": 64, "total_tokens": 576},
			})
		}
	})
}

// modelsOf lists the models of the account with that key, in OpenAI's form and
// Anthropic's, which differ in nothing that is read here.
func modelsOf(key string) []any {
	out := []any{}
	for _, a := range leads {
		if strings.HasPrefix(key, a.key) {
			for _, m := range a.models {
				out = append(out, map[string]any{"id": m, "object": "model", "type": "model"})
			}
		}
	}
	return out
}

// windows says how much is left of a subscription, as Anthropic does.
func windows(h http.Header, now time.Time, much bool) {
	used := map[string]float64{"5h": 0.71, "7d": 0.34}
	if much {
		used = map[string]float64{"5h": 0.93, "7d": 0.58}
	}
	for name, in := range map[string]time.Duration{"5h": 107 * time.Minute, "7d": 62 * time.Hour} {
		p := "Anthropic-Ratelimit-Unified-" + name
		h.Set(p+"-Utilization", fmt.Sprintf("%.2f", used[name]))
		h.Set(p+"-Reset", strconv.FormatInt(now.Add(in).Unix(), 10))
		h.Set(p+"-Status", "allowed")
	}
	h.Set("Anthropic-Ratelimit-Unified-Status", "allowed")
}

func say(w http.ResponseWriter, v any) { _ = json.MarshalWrite(w, v) } // who has left misses nothing
