package journal

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"time"
)

// JSON makes encoding/json/v2, which has no form of its own for a duration,
// write and read those of an exchange as whole nanoseconds, as the names of
// their members say.
var JSON = json.JoinOptions(
	json.WithMarshalers(json.MarshalToFunc(func(e *jsontext.Encoder, d time.Duration) error {
		return e.WriteToken(jsontext.Int(int64(d)))
	})),
	json.WithUnmarshalers(json.UnmarshalFromFunc(func(dec *jsontext.Decoder, d *time.Duration) error {
		var n int64
		err := json.UnmarshalDecode(dec, &n)
		*d = time.Duration(n)
		return err
	})),
)
