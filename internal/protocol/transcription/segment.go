package transcription

import (
	"encoding/json/v2"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A segment is a piece of a recording. Times are in seconds.
type segment struct {
	start, end float64
	text       string
}

// maxSegments is how many are read. A day in pieces of a second has as many.
const maxSegments = 86_400

// parse reads what the model was told to answer with. Times that go back are
// put right, since subtitles have an order.
func parse(answer string) (language string, all []segment, err error) {
	var in struct {
		Language string `json:"language"`
		Segments []struct {
			Start string `json:"start"`
			End   string `json:"end"`
			Text  string `json:"text"`
		} `json:"segments"`
	}
	if err := json.Unmarshal([]byte(answer), &in); err != nil {
		return "", nil, fmt.Errorf("it is no list of segments: %w", err)
	}
	if len(in.Segments) > maxSegments {
		return "", nil, fmt.Errorf("it has more than %d segments", maxSegments)
	}
	now := 0.0
	for _, s := range in.Segments {
		start, ok := seconds(s.Start)
		end, ok2 := seconds(s.End)
		if !ok || !ok2 {
			return "", nil, fmt.Errorf("it has a segment from %.20q to %.20q, which are no times", s.Start, s.End)
		}
		text := strings.Join(strings.Fields(s.Text), " ")
		if text == "" {
			continue
		}
		start = max(start, now)
		end = max(end, start)
		now = start
		all = append(all, segment{start, end, text})
	}
	return strings.ToLower(strings.TrimSpace(in.Language)), all, nil
}

// seconds reads [HH:]MM:SS[.mmm], or seconds alone.
func seconds(s string) (float64, bool) {
	parts := strings.Split(strings.Replace(strings.TrimSpace(s), ",", ".", 1), ":")
	if len(parts) > 3 {
		return 0, false
	}
	sum := 0.0
	for _, p := range parts {
		n, err := strconv.ParseFloat(p, 64)
		if err != nil || !(n >= 0 && n < 1e6) || strings.Trim(p, "0123456789.") != "" {
			return 0, false
		}
		sum = sum*60 + n
	}
	return math.Round(sum*1000) / 1000, true
}

// clock writes a time as subtitles do, with mark before the milliseconds.
func clock(t float64, mark byte) string {
	ms := int64(math.Round(t * 1000))
	return fmt.Sprintf("%02d:%02d:%02d%c%03d", ms/3_600_000, ms/60_000%60, ms/1000%60, mark, ms%1000)
}

// subtitles writes segments as SRT, or as WebVTT.
func subtitles(all []segment, format string) []byte {
	var b strings.Builder
	mark, clean := byte(','), strings.NewReplacer("-->", "->")
	if format == asVTT {
		b.WriteString("WEBVTT\n\n")
		mark, clean = '.', strings.NewReplacer("-->", "-&gt;", "&", "&amp;", "<", "&lt;")
	}
	for i, s := range all {
		if format == asSRT {
			b.WriteString(strconv.Itoa(i+1) + "\n")
		}
		b.WriteString(clock(s.start, mark) + " --> " + clock(s.end, mark) + "\n")
		b.WriteString(clean.Replace(s.text) + "\n\n")
	}
	return []byte(b.String())
}

// joined is the text of all segments.
func joined(all []segment) string {
	var b strings.Builder
	for i, s := range all {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(s.text)
	}
	return b.String()
}
