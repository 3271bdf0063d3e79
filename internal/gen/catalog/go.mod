// The generator is a module of its own so that nothing of what it reads is
// linked into, or listed by, the server.
module portico/internal/gen/catalog

go 1.27

require (
	charm.land/catwalk v0.52.86
	portico v0.0.0
)

require github.com/charmbracelet/x/etag v0.2.0 // indirect

replace portico => ../../..
