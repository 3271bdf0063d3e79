package app

import (
	"context"
	"io"
	"path/filepath"
	"time"

	"portico/internal/config"
	"portico/internal/recall"
	"portico/internal/responses"
	"portico/internal/secret"
	"portico/internal/translate"
)

// What is remembered for clients lies in these folders below the data folder.
const (
	answersDir = "responses/answers"
	homesDir   = "responses/homes"
	sealsDir   = "responses/seals"
)

const (
	// recallSize bounds what is remembered of sealed reasoning, in bytes
	// (spec: upstreams §2.6).
	recallSize = 64 << 20
	// knownAnswers is of how many answers it is remembered which account has
	// them.
	knownAnswers = 64 << 10
)

// A keeper is what keeps something on the disk.
type keeper interface {
	io.Closer
	Run(ctx context.Context) error
}

// remember opens what is remembered for clients. Where the disk refuses, it is
// remembered in memory: serving does not depend on it.
func (a *App) remember(c *config.Config, sealer *secret.Sealer) {
	dir := func(name string) string { return filepath.Join(c.DataDir, filepath.FromSlash(name)) }
	refused := func(what string, err error) {
		a.log.Error("what clients have is remembered in memory only, since its folder cannot be opened", "what", what, "error", err)
	}
	if s, err := responses.Open(dir(answersDir), answerLimits(c), sealer, time.Now, a.log.Logger); err != nil {
		refused("answers", err)
		a.answers = responses.New(answerLimits(c), time.Now)
	} else {
		a.answers, a.keepers = s, append(a.keepers, s)
	}
	if h, err := responses.OpenHomes(dir(homesDir), knownAnswers, a.log.Logger); err != nil {
		refused("accounts of answers", err)
		a.homes = responses.NewHomes(knownAnswers)
	} else {
		a.homes, a.keepers = h, append(a.keepers, h)
	}
	if b, err := recall.Open(dir(sealsDir), recallSize, sealer, time.Now, a.log.Logger); err != nil {
		refused("sealed reasoning", err)
		a.recall = translate.NewMemory(recallSize, time.Now)
	} else {
		a.recall, a.keepers = b, append(a.keepers, b)
	}
}

// answerLimits bound the answers and conversations that are kept.
func answerLimits(c *config.Config) responses.Limits {
	return responses.Limits{Entries: c.Responses.Rows, Bytes: responses.OnDisk(c.Responses.Bytes), Age: c.Responses.Age}
}
