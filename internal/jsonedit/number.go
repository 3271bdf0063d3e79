package jsonedit

import (
	"math"
	"strconv"
)

// slowInt reads whole numbers in odd spellings.
func slowInt(v []byte) (int64, bool) {
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) >= 1<<63 {
		return 0, false
	}
	return int64(f), true
}
