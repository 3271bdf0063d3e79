package telemetry

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
)

// An exposition is a page of metrics in Prometheus's text format, version
// 0.0.4: families one after the other, each with its help and type first.
type exposition struct {
	bytes.Buffer
	family string
}

func (e *exposition) counter(name, help string) { e.begin(name, help, "counter") }
func (e *exposition) gauge(name, help string)   { e.begin(name, help, "gauge") }

func (e *exposition) begin(name, help, kind string) {
	e.family = name
	e.WriteString("# HELP " + name + " " + help + "\n# TYPE " + name + " " + kind + "\n")
}

// sample writes one value of the family; labels are names and values in turn.
func (e *exposition) sample(v float64, labels ...string) { e.line("", v, labels...) }

func (e *exposition) line(suffix string, v float64, labels ...string) {
	e.WriteString(e.family + suffix)
	for i := 0; i+1 < len(labels); i += 2 {
		e.WriteByte("{,"[min(i, 1)])
		e.WriteString(labels[i])
		e.WriteString(`="`)
		for _, c := range []byte(labels[i+1]) {
			switch c {
			case '\\', '"':
				e.WriteByte('\\')
				e.WriteByte(c)
			case '\n':
				e.WriteString(`\n`)
			default:
				e.WriteByte(c)
			}
		}
		e.WriteByte('"')
	}
	if len(labels) > 0 {
		e.WriteByte('}')
	}
	e.WriteByte(' ')
	e.Write(strconv.AppendFloat(e.AvailableBuffer(), v, 'g', -1, 64))
	e.WriteByte('\n')
}

// bounds are the upper ends of the buckets in seconds: from a local answer to
// a model that thinks for ten minutes.
var bounds = [...]float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600}

type histogram struct {
	buckets [len(bounds)]uint64 // not cumulative
	count   uint64
	sum     float64
}

func (h *histogram) observe(v float64) {
	h.count++
	h.sum += v
	for i := range bounds {
		if v <= bounds[i] {
			h.buckets[i]++
			return
		}
	}
}

func (e *exposition) histograms(name, help, label string, hs map[string]*histogram) {
	e.begin(name, help, "histogram")
	for _, value := range slices.Sorted(maps.Keys(hs)) {
		h, sum := hs[value], uint64(0)
		for i, n := range h.buckets {
			sum += n
			e.line("_bucket", float64(sum), label, value, "le", strconv.FormatFloat(bounds[i], 'g', -1, 64))
		}
		e.line("_bucket", float64(h.count), label, value, "le", "+Inf")
		e.line("_sum", h.sum, label, value)
		e.line("_count", float64(h.count), label, value)
	}
}
