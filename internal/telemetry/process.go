package telemetry

import (
	"runtime"
	"runtime/metrics"
	"time"
)

// runtimes are the figures of Go's runtime, under the names that dashboards
// know.
var runtimes = [...]struct{ of, name, kind, help string }{
	{"/sched/goroutines:goroutines", "go_goroutines", "gauge", "Goroutines that exist."},
	{"/sched/gomaxprocs:threads", "go_sched_gomaxprocs_threads", "gauge", "Threads that run Go code at one time."},
	{"/memory/classes/heap/objects:bytes", "go_memstats_heap_alloc_bytes", "gauge", "Bytes of objects, live or not yet swept."},
	{"/memory/classes/heap/stacks:bytes", "go_memstats_stack_inuse_bytes", "gauge", "Bytes of stacks."},
	{"/memory/classes/heap/released:bytes", "go_memstats_heap_released_bytes", "gauge", "Bytes of the heap that were given back to the system."},
	{"/memory/classes/total:bytes", "go_memstats_sys_bytes", "gauge", "Bytes that the runtime has mapped."},
	{"/gc/heap/allocs:bytes", "go_memstats_alloc_bytes_total", "counter", "Bytes allocated since the start."},
	{"/gc/heap/allocs:objects", "go_memstats_mallocs_total", "counter", "Objects allocated since the start."},
	{"/gc/cycles/total:gc-cycles", "go_gc_cycles_total", "counter", "Garbage collections since the start."},
	{"/cpu/classes/gc/total:cpu-seconds", "go_gc_cpu_seconds_total", "counter", "CPU that garbage collection took, estimated."},
	{"/sync/mutex/wait/total:seconds", "go_sync_mutex_wait_seconds_total", "counter", "Time that goroutines waited for locks."},
}

// process writes what is known of this process.
func process(e *exposition, started time.Time) {
	e.gauge("go_info", "Which Go this was built with.")
	e.sample(1, "version", runtime.Version())
	var samples [len(runtimes)]metrics.Sample
	for i := range runtimes {
		samples[i].Name = runtimes[i].of
	}
	metrics.Read(samples[:])
	for i := range runtimes {
		r := &runtimes[i]
		var v float64
		switch s := &samples[i].Value; s.Kind() {
		case metrics.KindUint64:
			v = float64(s.Uint64())
		case metrics.KindFloat64:
			v = s.Float64()
		default: // this Go does not know it
			continue
		}
		e.begin(r.name, r.help, r.kind)
		e.sample(v)
	}
	e.gauge("process_start_time_seconds", "When the process began, in seconds since 1970.")
	e.sample(float64(started.UnixMilli()) / 1000)
	system(e)
}
