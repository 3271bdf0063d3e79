// Command catalog writes the data of package portico/internal/catalog from the
// provider configurations embedded in the module charm.land/catwalk, which its
// authors keep up to date. "make gen" runs it; to take a newer catalogue,
// "go get charm.land/catwalk@latest" in this folder first. It needs no network
// but for the module itself.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"charm.land/catwalk/pkg/embedded"
)

func main() {
	out := flag.String("o", "", "`file` to write")
	flag.Parse()
	if err := run(*out); err != nil {
		fmt.Fprintln(os.Stderr, "catalog:", err)
		os.Exit(1)
	}
}

func run(out string) error {
	// The build info holds the version but not the day.
	release, err := exec.Command("go", "list", "-m", "-f", `{{.Path}} {{.Version}} of {{.Time.Format "2006-01-02"}}`, "charm.land/catwalk").Output()
	if err != nil {
		return fmt.Errorf("ask for the release of catwalk: %w", err)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s (MIT License, Copyright (c) 2025 Charmbracelet, Inc.)\n", strings.TrimSpace(string(release)))
	for _, line := range table(embedded.GetAll()) {
		b.WriteString(line)
		b.WriteByte('\n')
	}
	if out == "" {
		_, err = os.Stdout.Write(b.Bytes())
		return err
	}
	return os.WriteFile(out, b.Bytes(), 0o644)
}
