package cli

import "portico/internal/route"

type routeCmd struct {
	Presets routePresets `cmd:"" help:"List the presets of routes, and which of them are on."`
}

type routePresets struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Help says how one is switched on.
func (*routePresets) Help() string {
	return `A preset is switched on in the configuration file, by the model that it leads to: routing: {presets: {claude-code: gpt-5.1}}. A gateway that runs takes it over by itself. They are looked at after the routes and before the aliases, in this order.

Examples:
  portico route presets
  portico route presets --json`
}

// A listedPreset is one as it is printed.
type listedPreset struct {
	Name  string `json:"name"`
	Match string `json:"match"`
	To    string `json:"to,omitzero"` // absent: it is off
	About string `json:"about"`
}

// Run lists the presets, and what of them is on by the configuration.
func (c *routePresets) Run(g *globals) error {
	conf, _, err := g.load()
	if err != nil {
		return err
	}
	var all []listedPreset
	for _, p := range route.Presets() {
		all = append(all, listedPreset{p.Name, p.Condition(), conf.Routing.Presets[p.Name], p.About})
	}
	if c.JSON {
		return printJSON(g.out, all)
	}
	var rows [][]string
	for _, p := range all {
		rows = append(rows, []string{p.Name, p.Match, p.To, p.About})
	}
	return table(g.out, "PRESET\tMATCHES\tLEADS TO\tABOUT", rows)
}
