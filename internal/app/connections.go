package app

const (
	// A process keeps this many files back for the ledger, the journal and
	// what else it opens.
	keptBack = 64
	// mostConnections is a bound where the system names none.
	mostConnections  = 1 << 20
	leastConnections = 16
)

// connections is how many clients may be connected at one time if the process
// may open so many files: each of them may need a connection to an upstream
// too. More wait until somebody leaves; who says nothing is sent away after
// ten seconds.
func connections(files uint64) int {
	if files <= keptBack+2*leastConnections {
		return leastConnections
	}
	return int(min((files-keptBack)/2, mostConnections))
}
