package gemini

import (
	"strings"
	"testing"

	"portico/internal/protocol"
)

func TestParsePath(t *testing.T) {
	for path, want := range map[string]Path{
		"/models/gemini-2.5-pro:generateContent":          {protocol.Chat, "gemini-2.5-pro", "generateContent", false},
		"/models/gemini-2.5-pro:streamGenerateContent":    {protocol.Chat, "gemini-2.5-pro", "streamGenerateContent", true},
		"/models/gemini-2.5-pro:countTokens":              {protocol.Count, "gemini-2.5-pro", "countTokens", false},
		"/models/gemini-embedding-001:embedContent":       {protocol.Embed, "gemini-embedding-001", "embedContent", false},
		"/models/gemini-embedding-001:batchEmbedContents": {protocol.Embed, "gemini-embedding-001", "batchEmbedContents", false},
		"/models/veo-3:predictLongRunning":                {protocol.Other, "veo-3", "predictLongRunning", false},
		"/models/imagen-4:predict":                        {protocol.Other, "imagen-4", "predict", false},
		"/models/m:aMethodOfTomorrow":                     {protocol.Other, "m", "aMethodOfTomorrow", false},
		"/models/gemini-2.5-pro":                          {protocol.Other, "gemini-2.5-pro", "", false},
		"/models/veo-3/operations/ab:c":                   {protocol.Other, "veo-3", "", false},
		"/models/operations":                              {protocol.Other, "operations", "", false},
		"/tunedModels/my-1:generateContent":               {protocol.Chat, "tunedModels/my-1", "generateContent", false},
		"/tunedModels/my-1/permissions":                   {protocol.Other, "tunedModels/my-1", "", false},
		"/tunedModels/my-1/permissions/operations":        {protocol.Other, "tunedModels/my-1", "", false},
		"/dynamic/x:streamGenerateContent":                {protocol.Chat, "dynamic/x", "streamGenerateContent", true},

		"/models/vendor/model:generateContent":                {protocol.Chat, "vendor/model", "generateContent", false},
		"/models/vendor%2Fmodel%3Ax%3AgenerateContent":        {protocol.Chat, "vendor/model:x", "generateContent", false},
		"/models/llama3:8b:generateContent":                   {protocol.Chat, "llama3:8b", "generateContent", false},
		"/models/llama3:8b":                                   {protocol.Other, "llama3:8b", "", false},
		"/models/llama3:latest":                               {protocol.Other, "llama3:latest", "", false},
		"/models/qwen:Q4_K_M":                                 {protocol.Other, "qwen:Q4_K_M", "", false},
		"/models/a%20b%25:countTokens":                        {protocol.Count, "a b%", "countTokens", false},
		"/models/gemini-2.5-pro-operations/operationsX:abCd":  {protocol.Other, "gemini-2.5-pro-operations/operationsX", "abCd", false},
		"/models/%E6%A8%A1%E5%9E%8B:streamGenerateContent":    {protocol.Chat, "模型", "streamGenerateContent", true},
		"/models/anthropic/claude..5/..x:generateContent":     {protocol.Chat, "anthropic/claude..5/..x", "generateContent", false},
		"/models/models/gemini-2.5-pro:generateContent":       {protocol.Chat, "models/gemini-2.5-pro", "generateContent", false},
		"/models/gemini-2.5-pro:generateContent:countTokens":  {protocol.Count, "gemini-2.5-pro:generateContent", "countTokens", false},
		"/tunedModels/vendor/tuned-by-slash:generateContent":  {protocol.Chat, "tunedModels/vendor/tuned-by-slash", "generateContent", false},
		"/models/gemini-2.5-pro:generatecontent":              {protocol.Other, "gemini-2.5-pro:generatecontent", "", false},
		"/models/gemini-2.5-pro:":                             {protocol.Other, "gemini-2.5-pro:", "", false},
		"/models/" + strings.Repeat("x", 4000) + ":embedText": {protocol.Other, strings.Repeat("x", 4000), "embedText", false},
	} {
		if got, ok := ParsePath(path); !ok || got != want {
			t.Errorf("%s: got %+v, %v", path, got, ok)
		}
	}
	for _, path := range []string{
		"", "/", "models/x:generateContent", "/models", "/models/", "/models/:generateContent", "/files/x", "/chat/completions",
		"/models/..:generateContent", "/models/a/../b:generateContent", "/models/%2e%2e%2Ffiles:generateContent", "/models/a//b:generateContent",
		"/models/a%00b:generateContent", "/models/a%0Ab", "/models/a%5C..%5Cb", "/models/%zz", "/models/%ff", "/models/./x", "/models/x/",
		"/models//operations/x", "/models/" + strings.Repeat("x", maxPath),
	} {
		if got, ok := ParsePath(path); ok {
			t.Errorf("%q was taken: %+v", path, got)
		}
	}
}

func TestSetPathModel(t *testing.T) {
	for _, c := range []struct{ path, model, want string }{
		{"/models/a:generateContent", "gemini-2.5-pro", "/models/gemini-2.5-pro:generateContent"},
		{"/models/vendor/a%3AstreamGenerateContent", "b", "/models/b:streamGenerateContent"},
		{"/models/a:generateContent", "tunedModels/b", "/tunedModels/b:generateContent"},
		{"/models/a:generateContent", "models/b", "/models/b:generateContent"},
		{"/tunedModels/a:generateContent", "b", "/models/b:generateContent"},
		{"/models/a:countTokens", "vendor/b:8b c?d#e%", "/models/vendor/b:8b%20c%3Fd%23e%25:countTokens"},
		{"/models/a", "b", "/models/b"},
		{"/models/a/operations/x%2Fy", "b", "/models/b/operations/x%2Fy"},
		{"/models/a:generateContent", "..", ""},
		{"/models/a:generateContent", "b/../../files", ""},
		{"/models/a:generateContent", "", ""},
		{"/models/a:generateContent", "b\x00", ""},
		{"/models/a:generateContent", "models/", ""},
		{"/models/a:generateContent", strings.Repeat("x", maxPath), ""},
		{"/files/a", "b", ""},
	} {
		if got, ok := SetPathModel(c.path, c.model); got != c.want || ok != (c.want != "") {
			t.Errorf("%s for %q: got %q, %v; want %q", c.path, c.model, got, ok, c.want)
		}
	}
}

func FuzzParsePath(f *testing.F) {
	f.Add("/models/gemini-2.5-pro:generateContent", "b")
	f.Add("/tunedModels/a%2Fb/operations/x", "vendor/c:8b")
	f.Add("/models/a%3a%25:embedContent", "../x")
	f.Fuzz(func(t *testing.T, path, model string) {
		p, ok := ParsePath(path)
		if !ok {
			return
		}
		if p.Model == "" || strings.Contains("/"+p.Model+"/", "/../") {
			t.Errorf("%q names %q", path, p.Model)
		}
		set, ok := SetPathModel(path, model)
		if !ok {
			return
		}
		if strings.ContainsAny(set, "?# \n\x00") && !strings.ContainsAny(path, "?# \n\x00") || strings.Contains(set+"/", "/../") {
			t.Errorf("%q for %q leads elsewhere: %q", path, model, set)
		}
		q, ok := ParsePath(set)
		if !ok || q.Method != p.Method || q.Op != p.Op || q.Stream != p.Stream {
			t.Errorf("%q for %q: %q reads as %+v, was %+v", path, model, set, q, p)
		}
	})
}
