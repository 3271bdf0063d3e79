// Package simulator is an upstream that lives in this process: it needs no
// credential and no network, speaks all four protocols, and says in every
// answer that it is the simulator, in its ids where the text is dictated. It is
// what a newcomer's first call, the tests and a rehearsal of failover talk to.
//
// A request in any dialect is read into a neutral ask; a pure function makes
// a script of it; one writer per dialect plays the script, whole or streamed.
// Nothing is random but the identifiers, so one request always gets the same
// answer. Tokens are estimated: a quarter of the text's bytes, rounded up.
//
// # What an answer holds
//
// By default the answer quotes what it got: the last text of the user's turn,
// the results of tools, the kind and size of images, documents and sounds. Stop
// sequences and token limits are honoured; a JSON schema that the request asks
// for is satisfied with made-up values; a forced tool is called with made-up
// arguments; enabled reasoning gives a simulated thought. The user's turn is all
// that came after the last answer; directives in its texts ask for more:
//
//	[[say:TEXT]]            answer exactly TEXT
//	[[long:N]]              answer N words, at most 100000
//	[[tool:NAME {json}]]    call NAME; repeated: parallel calls, at most 128.
//	                        Without {json} the arguments are made up; a
//	                        custom tool takes any text in its place
//	[[think]]               show a thought
//	[[image]]               answer with an image, where the dialect has a seat
//	[[cached:N]]            report N tokens as read from the cache
//	[[fault:WORDS]]         play a fault, see below
//
// The models differ a little: simulator-fast streams a text in one event,
// simulator-thinking always thinks, simulator-tools calls the first tool it is
// offered, simulator-image answers with an image. Any other name is answered
// like simulator.
//
// Vectors depend on the words of a text, so that alike texts lie near each
// other. Pictures and sounds are small and made up, nothing is ever flagged by
// moderation, and a count is what the answer would bill. The latest 256
// responses that are to be stored, of 4 MiB together, can be asked for again.
//
// # Faults
//
// The same words stand in the request header X-Portico-Simulate, for any
// operation, and in a fault directive, for all but counts. Words are separated
// by commas or spaces, a value follows ":" or "=", and ";" separates one fault
// from the next. The first fault that applies is played; those of the header
// come first. A word nobody knows is refused with status 400.
//
//	status:429        answer with an error of this status, 400 to 599
//	retry-after:2     the wait that the error names: seconds, or "200ms"
//	code:NAME         the vendor code that the error carries
//	overloaded        the dialect's own overload error
//	hang              never answer, until the request is cancelled
//	html              a 200 with an HTML page
//	empty             a 200 that ends without a byte
//	cut               the connection breaks
//	end               the stream ends early, without a mark of its end
//	garbage           bytes that are none of the dialect's, then the end
//	error             an error in the dialect's own form within a 200
//	after=N           cut, end, garbage, error, overloaded and hang strike
//	                  after N events of a stream (0); an answer shorter than
//	                  that comes whole. At an unstreamed answer they strike in
//	                  its middle when N is above 0, but error and overloaded
//	                  take its place
//	bytes=N           cut and end strike after N bytes instead
//	delay:500ms       wait before the first byte, at most 10 minutes
//	pace:20ms         wait between events, at most 10 minutes
//	account=NAME      only for the account of this name
//	times=N           only for the first N requests
//	key=NAME          … that carry this name and the same words; without it,
//	                  the same words. The last 1024 counts are remembered
//
// Examples: "status:429, retry-after:2", "cut:after=3", "error:after=2",
// "delay:500ms pace:20ms", "status:503,account=a; overloaded,account=b".
package simulator
