package journal

import (
	"errors"
	"fmt"
	"path/filepath"
)

// Replay calls each with every whole exchange that the journal in the data
// folder dir holds, in the order of recording, also with those that are kept
// elsewhere by now. It changes nothing. It stops at the first error of each;
// a file that cannot be read is named in the error, after the others were
// read.
func Replay(dir string, each func(x *Exchange) error) error {
	paths, seqs, _, err := list(filepath.Join(dir, folder))
	if err != nil {
		return err
	}
	var errs []error
	for i, path := range paths {
		s, _, err := openSegment(path, seqs[i])
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", path, err))
			continue
		}
		var stop error
		sc := scan{r: s.file, salt: s.salt, end: s.size, gaps: true}
		_, err = sc.run(headerSize, func(payload []byte) bool {
			x, err := Decode(payload)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", path, err))
				return true
			}
			stop = each(x)
			return stop == nil
		})
		s.file.Close()
		if stop != nil {
			return stop
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", path, err))
		}
	}
	return errors.Join(errs...)
}
