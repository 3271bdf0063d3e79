package tokens

import (
	"bytes"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

// Counts as OpenAI's own tokenizer gives them for the same texts.
func TestCountIsO200k(t *testing.T) {
	tests := []struct {
		text string
		want int64
	}{
		{"", 0},
		{"a", 1},
		{"hello world", 2},
		{"Hello, world!", 4},
		{"tiktoken is great!", 6},
		{" ", 1},
	}
	for _, tt := range tests {
		if got := count([]byte(tt.text)); got != tt.want {
			t.Errorf("count(%q) = %d, want %d", tt.text, got, tt.want)
		}
	}
}

func repeatTo(s string, n int) []byte {
	return []byte(strings.Repeat(s, n/len(s)+1)[:n/len(s)*len(s)])
}

// texts are of the kinds that conversations hold.
var texts = map[string]string{
	"prose":   "The harbour was quiet that morning, and nobody had noticed that the ferry left without its lights. It isn't unusual in winter; the crew knows every buoy by heart.\n",
	"go":      "func (s *Store) Get(ctx context.Context, id string) (*Item, error) {\n\tif id == \"\" {\n\t\treturn nil, fmt.Errorf(\"get: %w\", ErrEmpty)\n\t}\n\treturn s.items[id], nil\n}\n",
	"json":    `{"name":"read_file","description":"Reads a file from disk","input_schema":{"type":"object","properties":{"path":{"type":"string"},"limit":{"type":"integer","minimum":1}},"required":["path"]}}` + "\n",
	"korean":  "오늘 아침 항구는 조용했고 배가 불을 켜지 않은 채 떠난 것을 아무도 알아차리지 못했다.\n",
	"chinese": "今天早上港口很安静,没有人注意到渡轮没有开灯就离开了。冬天这并不罕见。\n",
	"russian": "Сегодня утром в гавани было тихо, и никто не заметил, что паром ушёл без огней.\n",
	"arabic":  "كان الميناء هادئا هذا الصباح ولم يلاحظ أحد أن العبارة غادرت دون أضوائها.\n",
	"base64":  "iVBORw0KGgoAAAANSUhEUgAAAoAAAAHgCAYAAAA10dzkAAAACXBIWXMAAA7EAAAOxAGVKw4bAAAgAElEQVR4nOzdeXxU1d0/8M",
	"blank":   "                \n\n\t\t\t\t\n",
}

// Cutting into pieces and sampling keep the count near that of the whole text
// in one piece.
func TestPiecesAndSamplesAgreeWithTheWhole(t *testing.T) {
	whole := func(b []byte) float64 {
		n, err := vocabulary().Count(string(b))
		if err != nil {
			t.Fatal(err)
		}
		return float64(n)
	}
	check := func(name string, text []byte, allowed float64) {
		t.Helper()
		got, want := float64(count(text)), whole(text)
		if off := math.Abs(got/want - 1); off > allowed {
			t.Errorf("%s: %.0f tokens, in one piece %.0f: %.1f %% off, %.1f allowed", name, got, want, 100*off, 100*allowed)
		}
	}
	var mixed []byte
	for name, s := range texts {
		check(name+", in pieces", repeatTo(s, 12_000), 0.01)
	}
	for _, name := range []string{"prose", "go"} { // counting a text in one piece takes long
		check(name+", sampled", repeatTo(texts[name], exactBytes+8_000), 0.02)
	}
	// A conversation: stretches of every kind, of random lengths.
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, name := range []string{"prose", "go", "json", "korean", "russian", "base64", "chinese", "go", "arabic", "blank", "json", "prose"} {
		mixed = append(mixed, repeatTo(texts[name], 4_000+rnd.IntN(20_000))...)
	}
	check("mixed, sampled", mixed, 0.03)
}

// What upstreams charge for a text of a kind, in characters a token: the
// estimate must be of that size whatever the family.
func TestEstimateIsPlausible(t *testing.T) {
	for name, chars := range map[string][2]float64{
		"prose": {2.8, 5}, "go": {2.2, 4.2}, "json": {2.2, 4.8}, "korean": {0.9, 2.6}, "chinese": {0.7, 1.9},
		"russian": {2, 4.5}, "arabic": {2, 4.5}, "base64": {1, 2}, "blank": {2, 20},
	} {
		text := repeatTo(texts[name], 20_000)
		runes := float64(bytes.Count(text, nil) - 1)
		for _, model := range []string{"gpt-5", "claude-sonnet-4-5", "claude-opus-5", "gemini-3-pro", "unknown"} {
			if got := runes / float64(Estimate(text, 0, model)); got < chars[0] || got > chars[1] {
				t.Errorf("%s for %s: %.2f characters a token, want %v", name, model, got, chars)
			}
		}
	}
}

func TestEstimateIsNeverZero(t *testing.T) {
	for _, model := range []string{"", "gpt-5", "claude", "gemini", strings.Repeat("x", 10_000)} {
		for _, media := range []int{-5, 0} {
			if got := Estimate(nil, media, model); got < 1 || got > 20 {
				t.Errorf("nothing, %d media, for %.20q: %d", media, model, got)
			}
		}
		if got := Estimate(nil, 3, model); got < 3000 {
			t.Errorf("three images for %.20q: %d", model, got)
		}
	}
}

func TestFamilyOf(t *testing.T) {
	for model, want := range map[string]family{
		"gpt-5.5": openAI, "openai/gpt-oss-120b": openAI, "o3-mini": openAI, "chatgpt-4o-latest": openAI,
		"claude": claude, "claude-3-5-sonnet-20240620": claude, "claude-opus-4-6": claude,
		"anthropic/claude-sonnet-4.6": claude, "us.anthropic.claude-haiku-4-5-20251001-v1:0": claude,
		"claude-opus-4-7": claude47, "claude-opus-4.8": claude47, "claude-sonnet-5": claude47,
		"anthropic/claude-opus-5.5": claude47, "claude-fable-5-1": claude47, "claude-haiku-10": claude47,
		"models/gemini-2.5-pro": gemini, "google/gemma-4": gemini,
		"meta-llama/llama-4": llama, "mistral-large-latest": mistral, "Qwen/Qwen3-32B": qwen, "grok-4.5": grok,
		"deepseek-v4": other, "glm-5.2": other, "": other, "ollama-thing": other,
	} {
		if got := familyOf(model); got != want {
			t.Errorf("familyOf(%q) = %+v, want %+v", model, got, want)
		}
	}
}

// However long a text is, no more than exactBytes and a little are tokenized.
func TestWorkIsBounded(t *testing.T) {
	for _, s := range []string{" ", "a", "字", "\n", "ab "} {
		text := repeatTo(s, 8<<20)
		var read int
		for i := range samples {
			at := start(text, i*(len(text)/samples))
			read += cut(text[at:], sampleBytes)
		}
		if read > exactBytes || read < exactBytes/2-samples*4 {
			t.Errorf("%q: %d bytes of %d are read", s, read, len(text))
		}
		if got := Estimate(text, 0, "gpt-5"); got < int64(len(text)/1000) {
			t.Errorf("%q: %d tokens", s, got)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	text := []byte(texts["go"])
	want := Estimate(text, 0, "gpt-5")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got := Estimate(text, 0, "gpt-5"); got != want {
				t.Errorf("%d, alone %d", got, want)
			}
		})
	}
	wg.Wait()
}

func FuzzEstimate(f *testing.F) {
	for _, s := range texts {
		f.Add([]byte(s), 0, "claude-opus-5")
	}
	f.Add([]byte("\xff\xc3\xe2\x28"), 1, "")
	f.Fuzz(func(t *testing.T, text []byte, media int, model string) {
		if got := Estimate(text, 0, model); got < 1 || got > int64(2*len(text)+20) {
			t.Errorf("%d tokens for %d bytes", got, len(text))
		}
		for rest := text; len(rest) > 0; {
			end := cut(rest, 16)
			if end < 1 || end > 16 {
				t.Fatalf("cut(%q) = %d", rest, end)
			}
			rest = rest[end:]
		}
	})
}

func BenchmarkEstimate(b *testing.B) {
	for name, s := range texts {
		text := repeatTo(s, 1<<20)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Estimate(text, 0, "gpt-5")
			}
		})
	}
}
